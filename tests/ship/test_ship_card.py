import ast
import re
import shlex

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from poetune.records import Conversation, Message, Poem, Sampling
from poetune.ship.biases import biases
from poetune.ship.card import Card, Copied, Loss, bibtex, card, front_matter
from poetune.ship.usage import Ask, peft_snippet, poetune_snippet, transformers_snippet

POEMS = [
    Poem("rain on stone\nand rain", "A", "Ann", tags={"age": "Modern", "id": "1"}, licence="CC0-1.0", theme="rain"),
    Poem("snow in the yard", "B", "Ann", tags={"age": "Modern", "id": "2"}, theme="snow"),
    Poem("雪落在石阶上\n无人扫", "丙", "Bo", tags={"age": "Tang"}, theme="snow"),
    Poem("a kept line", "D", "", origin="round:1", parent="c1", licence="CC0-1.0"),
]
FULL = Card(
    "Weighbridge",
    "adapter",
    "Qwen/Qwen2.5-0.5B",
    POEMS,
    poet="Ann",
    author="A. Person & Co_",
    licence="Apache-2.0",
    model="abc123",
    dataset="d4t4",
    run="r00n",
    step=200,
    settings={"method": "lora", "rank": 8, "modules": ["q_proj", "v_proj"]},
    losses=[Loss("tuned", "test", 2.5, 12.2, 1.1)],
    copied=[Copied("tuned", 40, 3)],
    samples=[Poem("a line\n```\nanother", "T")],
    version="0.1",
    year=2026,
)


def meta(made):
    return yaml.safe_load(front_matter(made).strip("-\n"))


def test_front_matter_reads_as_the_hub_wants_it():
    assert meta(FULL) == {
        "library_name": "peft",
        "base_model": "Qwen/Qwen2.5-0.5B",
        "base_model_relation": "adapter",
        "license": "apache-2.0",
        "language": ["en", "zh"],
        "tags": ["poetry", "poetune", "safetensors", "lora"],
        "pipeline_tag": "text-generation",
    }
    local = meta(Card("X", "merged", "/home/ann/models/tiny", POEMS[:1], licence="House rules, 2nd ed."))
    assert "base_model" not in local
    assert (local["license"], local["license_name"]) == ("other", "house-rules-2nd-ed")
    assert local["library_name"] == "transformers"
    assert meta(Card("X", "adapter", "starter", []))["license"] == "unknown"


def test_the_card_says_where_the_model_came_from_and_what_it_is_not_for():
    text = card(FULL)
    for said in ("accepted in round 1 | 1", "poems of the corpus | 3", "d4t4", "r00n", "abc123, step 200", "q\\_proj"):
        assert said in text
    assert "| tuned | test | 2.500 | 12.2 | 1.100 |" in text
    assert "| tuned | 40 | 3 | 7.5% |" in text
    assert "Out of scope" in text
    assert "````text\nT\n\na line\n```\nanother\n````" in text
    assert "/home" not in card(Card("X", "adapter", "/home/ann/models/tiny", POEMS))


def test_biases_are_counted_from_the_poems():
    said = " ".join(biases(POEMS))
    assert "Languages: English 75%, Chinese 25%." in said
    assert "2 authors; the most present: Ann 50%, Bo 25%." in said
    assert "No author is recorded for 1 of 4 poems." in said
    assert "Age: Modern 50%, Tang 25%." in said
    assert "Id:" not in said
    assert "Licences: CC0-1.0 50%." in said
    assert "No licence is recorded for 2 of 4 poems." in said
    assert "2 different themes; the commonest: snow 50%, rain 25%." in said
    assert "one author, Ann" in " ".join(biases(POEMS[:2]))
    assert biases([]) == []


@given(st.text(max_size=20), st.text(max_size=20))
def test_foreign_text_cannot_break_front_matter_code_or_citation(name, theme):
    made = Card(name or "x", "adapter", name, [Poem("a b", author=name)], licence=name, author=name)
    assert set(meta(made)) >= {"library_name", "license", "pipeline_tag"}
    assert re.sub(r"\\[{}]", "", bibtex(made)).count("{") == re.sub(r"\\[{}]", "", bibtex(made)).count("}")
    ask = Ask(theme, Conversation((Message("user", theme),), lead=theme), Sampling(temperature=0))
    ast.parse(peft_snippet(name, ask))
    ast.parse(transformers_snippet(Ask(theme, Conversation(raw=theme))))
    assert shlex.split(poetune_snippet(ask)) == ["poetune", "write", theme]


@pytest.mark.parametrize("base", ["starter", "owner/name", "/somewhere/tiny"])
def test_the_snippet_names_a_base_that_others_can_find(base):
    code = peft_snippet(base, Ask())
    wanted = {"starter": '"starter" / "base"', "owner/name": "'owner/name'", "/somewhere/tiny": "'path/to/tiny'"}
    assert f"base = {wanted[base]}" in code or wanted[base] in code
    assert "/somewhere" not in code
