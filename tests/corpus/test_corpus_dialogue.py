"""Conversation rows of every shape become a poem and the very prompt that it answers."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from poetune.corpus import read
from poetune.corpus.chat import is_theme
from poetune.corpus.dialogue import opens, pairs
from poetune.dataset import build, conversation, load_template
from poetune.recipe import Corpus, Dataset
from poetune.records import Message, Poem, Prompt

ASK = "Write a short poem about the river,\nas if it were leaving."
POEM = "The river has packed\n  its one long coat\n\nand gone."
MARKS = ("User", "Human", "System", "Assistant", "<|", "</s>")
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1, max_size=60
).filter(lambda text: text.strip() and not any(mark in text for mark in MARKS))


@given(
    WORDS,
    WORDS,
    st.sampled_from(["User: {p} Assistant: {c}", "User: {p}\nAssistant: {c}", "Human:{p}\nAssistant:\n{c}\n"]),
)
@example("a", "  indented\nlines", "User: {p}\nAssistant:\n{c}")
@example("a", "one\n\n\ntwo", "User: {p} Assistant: {c}<|endoftext|>")
def test_what_is_written_is_parsed(prompt: str, completion: str, shape: str) -> None:
    written = shape.format(p=prompt, c=completion)
    ((system, asked, answered),) = pairs(written)
    assert (system, asked) == ("", prompt.strip())
    assert answered.strip() == completion.strip()
    assert opens(written)


@given(WORDS, WORDS)
def test_the_bundled_dialogue_template_is_read_back(prompt: str, completion: str) -> None:
    asked = conversation(load_template("dialogue.v1"), Prompt(prompt)).raw
    ((_, question, answer),) = pairs(asked + completion)
    assert (question, answer.strip()) == (prompt.strip(), completion.strip())


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4))
def test_a_text_of_turns_gives_every_pair(turns: list[tuple[str, str]]) -> None:
    text = "System: be brief\n" + "\n".join(f"User: {p}\nAssistant: {c}" for p, c in turns)
    assert [(s, p, c.strip()) for s, p, c in pairs(text)] == [("be brief", p.strip(), c.strip()) for p, c in turns]


@given(st.text(max_size=80))
def test_no_text_raises_and_verse_is_no_dialogue(text: str) -> None:
    list(pairs(text))
    assert not opens("The user said: Assistant: no.\nUser: of words")


TURNS = [{"role": "user", "content": ASK}, {"role": "assistant", "content": POEM}]
STRING = f"User: {ASK}\nAssistant: {POEM}"
CHATML = f"<|im_start|>system S<|im_end|> <|im_start|>user {ASK}<|im_end|> <|im_start|>assistant {POEM}<|im_end|>"


def _csv(head: str) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(
        [*([[head]] if head else []), [STRING], [STRING.replace("river", "sea").replace("packed", "sold")]]
    )
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "text", "system"),
    [
        ("a.jsonl", json.dumps({"messages": TURNS}), ""),
        ("a.jsonl", json.dumps({"prompt": ASK, "completion": POEM}), ""),
        ("a.jsonl", json.dumps({"prompt": TURNS[:1], "completion": TURNS[1:]}), ""),
        ("a.jsonl", json.dumps({"instruction": ASK, "output": POEM}), ""),
        ("a.jsonl", json.dumps({"instruction": ASK.split("\n")[0], "input": ASK.split("\n")[1], "output": POEM}), ""),
        ("a.jsonl", json.dumps({"text": CHATML}), "S"),
        ("a.jsonl", json.dumps({"text": STRING}), ""),
        ("a.jsonl", json.dumps(STRING), ""),
        ("a.json", json.dumps([{"prompt": ASK, "text": POEM}]), ""),
        ("a.txt", STRING, ""),
        ("a.txt", f"System: S\n{STRING}\n\nUser: again\nAssistant: Another\npoem.\n", "S"),
        ("a.csv", _csv("content"), ""),
        ("a.csv", _csv("anything"), ""),
        ("a.csv", _csv(""), ""),
    ],
)  # fmt: skip
def test_every_shape_of_row_asks_its_own_prompt_to_the_letter(
    tmp_path: Path, name: str, text: str, system: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    poems = read(Corpus(files=[name]), tmp_path).poems
    assert poems[0].text == POEM
    assert len(poems) == 1 + (".csv" in name or "again" in text)
    templates = [load_template(each) for each in ("pause.v1", "deep.v1")]
    row = build(poems[:1], Dataset(system="R", templates=["pause.v1", "deep.v1"]), templates).examples
    assert len(row) == 1
    question = next(m.content for m in row[0].conversation.messages if m.role == "user")
    assert " ".join(question.split()) == " ".join(ASK.split())
    assert row[0].conversation.messages[0] == Message("system", system or "R")
    assert (row[0].completion, row[0].conversation.lead) == (POEM, "")


def test_the_text_may_be_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'"mood","chat"\n"low","{STRING}"\n', encoding="utf-8")
    (poem,) = read(Corpus(files=["a.csv"], map={"chat": "text"}), tmp_path).poems
    assert (poem.text, dict(poem.tags)) == (POEM, {"mood": "low", "prompt": ASK})


def test_a_theme_stays_a_theme_and_raw_templates_stay_the_format() -> None:
    assert all(map(is_theme, ("雨", "the sea at night", "图像与雨", "make believe", "Untitled 3")))
    asks = (
        "Write a poem about rain",
        "写一首关于雨的诗",
        "以雨为题",
        "What is rain?",
        "a\nb",
        "one two three four five six seven eight nine",
    )
    assert not any(map(is_theme, asks))
    own = Poem("x\ny", tags={"prompt": ASK})
    raw, plain = load_template("dialogue.v1"), load_template("plain.v1")
    rows = build([own], Dataset(), [plain, raw]).examples
    assert [row.conversation.raw for row in rows] == [f"User: {ASK}\nAssistant:\n"]
    themed = build([Poem("x\ny", theme="rain")], Dataset(), [plain, raw]).examples
    assert len(themed) == 2
