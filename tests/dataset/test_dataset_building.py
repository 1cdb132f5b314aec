import json

import pytest

from poetune.dataset import build, export_rows, load_template
from poetune.errors import CorpusError, RecipeError
from poetune.recipe import Dataset
from poetune.records import Conversation, Example, Message, Poem

WORDS = ("rain", "salt", "tin", "wool", "ash", "dust", "oak")
POEMS = [Poem(f"line of {word}\nand {word} again", title=word.title()) for word in WORDS]
PLAIN, PAUSE, RAW = load_template("plain.v1"), load_template("pause.v1"), load_template("source.v1")


def test_one_example_for_each_poem_and_template() -> None:
    built = build(POEMS, Dataset(system="S"), [PLAIN, PAUSE], {POEMS[0].id: "water", "gone": "x"})
    assert len(built.examples) == 14
    assert [e.id for e in built.examples] == list(built.dataset.examples)
    assert {e.prompt for e in built.examples} == {p.id for p in built.prompts}
    first = built.examples[0]
    assert first.completion == POEMS[0].text
    assert first.conversation.messages == (Message("system", "S"), Message("user", "water"))
    assert any("1 themes belong to poems that are not here" in note for note in built.notes)
    by_id = {p.id: p for p in built.prompts}
    assert {by_id[e.prompt].held_out for e in built.examples if e.split == "train"} == {False}
    assert {by_id[e.prompt].held_out for e in built.examples if e.split != "train"} == {True}


def test_the_same_poems_make_the_same_data_set_and_a_new_one_moves_no_other() -> None:
    one, two = (build(POEMS, Dataset(), [PLAIN]) for _ in range(2))
    assert one == two
    more = build([*POEMS, Poem("a wholly new thing\nof glass", parent="cand")], Dataset(), [PLAIN])
    assert more.examples[: len(POEMS)] == one.examples
    assert more.examples[-1].split == "train"
    assert more.dataset.id != one.dataset.id
    assert build(POEMS, Dataset(), [PAUSE]).dataset.id != one.dataset.id


def test_no_poems() -> None:
    with pytest.raises(CorpusError, match="no poems"):
        build([], Dataset(), [PLAIN])


def test_the_export_holds_each_poem_to_the_letter() -> None:
    built = build(POEMS, Dataset(system="S"), [PAUSE])
    mlx, trl = export_rows(built.examples, "mlx"), export_rows(built.examples, "trl")
    assert (
        set(mlx) == set(trl) == {{"validation": "valid.jsonl"}.get(e.split, f"{e.split}.jsonl") for e in built.examples}
    )
    row = json.loads(json.dumps(mlx["train.jsonl"][0], ensure_ascii=False))
    assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant"]
    assert row["messages"][-1]["content"].startswith("\nline of ")
    assert trl["train.jsonl"][0] == {"prompt": row["messages"][:2], "completion": row["messages"][2:]}


def test_raw_and_plain_rows() -> None:
    built = build(POEMS, Dataset(), [RAW])
    text = export_rows(built.examples, "mlx")["train.jsonl"][0]["text"]
    assert text.startswith("<|im_start|>system")
    assert "assistant line of" in text
    assert set(export_rows(built.examples, "trl")["train.jsonl"][0]) == {"prompt", "completion"}
    plain = Example(Conversation(), "verse", "train", plain=True)
    assert export_rows([plain], "trl") == {"train.jsonl": [{"text": "verse"}]}
    with pytest.raises(RecipeError, match="mix"):
        export_rows([*built.examples, *build(POEMS, Dataset(), [PLAIN]).examples], "trl")
