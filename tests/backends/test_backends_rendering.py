import pytest

pytest.importorskip("torch")

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import miniatures
from hypothesis import given
from hypothesis import strategies as st

from poetune.backends import bases
from poetune.backends.rows import build_rows
from poetune.records import Conversation, Example, Message

ASKED = (Message("system", "You are a poet."), Message("user", "Write of rain."))
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + miniatures.CHATML
DEAF = miniatures.CHATML.replace(
    "{% for message in messages %}", "{% for message in messages if message['role'] != 'system' %}"
)


@cache
def renderer_once():
    with TemporaryDirectory() as folder:
        return bases.open_renderer(miniatures.base(Path(folder)))


def renderer(mini, template=miniatures.CHATML):
    return bases.open_renderer(Path(mini(template=template)))


def test_one_bos_however_the_prompt_is_given(mini):
    r = renderer(mini)
    for asked in (
        Conversation(ASKED), Conversation(ASKED, lead="\n\n"), Conversation(raw="<|bos|>Write"),
        Conversation(raw="Write"), Conversation(), Conversation(prefix="Rain"),
    ):  # fmt: skip
        ids = r.prompt(asked)
        assert ids[0] == 1
        assert ids.count(1) == 1
    assert 2 in r.prompt(Conversation(raw="<|im_start|>user"))  # a raw prompt's special tokens are read as such


def test_lead_trim_and_prefix(mini):
    r = renderer(mini)
    plain = r.decode(r.prompt(Conversation(ASKED)))
    assert plain.endswith("assistant\n")
    assert r.decode(r.prompt(Conversation(ASKED, trim=True))).endswith("assistant")
    assert r.decode(r.prompt(Conversation(ASKED, lead="\n\n", trim=True, prefix="雨落"))).endswith("assistant\n\n雨落")


@pytest.mark.parametrize("template", [NO_SYSTEM, DEAF])
def test_system_text_goes_before_the_user_where_the_template_has_no_room(mini, template):
    text = renderer(mini, template).decode(renderer(mini, template).prompt(Conversation(ASKED)))
    assert "user\nYou are a poet.\n\nWrite of rain." in text


def test_a_base_without_template_reads_the_contents_line_by_line(mini):
    r = renderer(mini, None)
    assert r.decode(r.prompt(Conversation(ASKED))) == "You are a poet.\nWrite of rain.\n"


@pytest.mark.parametrize(
    "text", ["a\n\nb\n  c", "雨落在瓦上，\n\n\n灯很低。", "— it’s “so”…\n\tx", "<|im_end|> stays text"]
)
def test_text_survives_the_tokens(mini, text):
    r = renderer(mini)
    ids = r.completion(text)
    assert r.decode(ids) == text
    assert not r.stops & set(ids)


def test_rows_supervise_poem_and_end_and_train_on_the_prompt_that_is_written_from(mini):
    r = renderer(mini)
    asked = Conversation(ASKED, lead="\n")
    row = build_rows(r, [Example(asked, "The rain\ncame down.", "train")], 512).rows[0]
    assert list(row.ids[: row.first]) == r.prompt(asked)
    assert row.ids[-1] == r.eos
    assert r.decode(list(row.ids[row.first :])) == "The rain\ncame down."
    plain = build_rows(r, [Example(Conversation(), "Rain.", "train", plain=True)], 512).rows[0]
    assert plain.ids[0] == 1
    assert plain.first == 1


def test_a_long_poem_is_cut_at_a_line_break_and_still_ends(mini):
    r = renderer(mini)
    poem = "\n".join(f"The rain number {i} came down on the roof" for i in range(30))
    built = build_rows(
        r, [Example(Conversation(ASKED), poem, "train"), Example(Conversation(ASKED), "Rain", "train")], 120
    )
    assert (built.cut, built.left_out) == (1, 0)
    kept = r.decode(list(built.rows[0].ids[built.rows[0].first :]))
    assert poem.startswith(kept + "\n")
    assert len(built.rows[0].ids) <= 120
    assert built.rows[0].ids[-1] == r.eos
    assert build_rows(r, [Example(Conversation(ASKED), "Rain", "train")], 20).left_out == 1


@given(st.lists(st.sampled_from(["The rain came.", "", "灯很低。", "the slate roof all night " * 3]), max_size=20))
def test_a_split_poem_keeps_every_line_and_its_prompt_in_every_part(lines):
    r = renderer_once()
    poem = "\n".join(lines)
    longest = len(r.prompt(Conversation(ASKED))) + 25
    built = build_rows(r, [Example(Conversation(ASKED), poem, "train")], longest, "split")
    whole = build_rows(r, [Example(Conversation(ASKED), poem, "train")], 10**6, "split")
    assert (whole.cut, whole.split, len(whole.rows)) == (0, 0, bool(poem))
    parts = [r.decode(list(row.ids[row.first : -1])) for row in built.rows]
    for row in built.rows:
        assert list(row.ids[: row.first]) == r.prompt(Conversation(ASKED))
        assert row.ids[-1] == r.eos
        assert len(row.ids) <= longest
    if len(r.completion(poem)) <= 24:
        assert parts == ([poem] if poem else [])
        return
    kept = [line for part in parts for line in part.split("\n") if line]
    expected = [line for line in lines if line]
    assert len(kept) == len(expected)
    for line, said in zip(expected, kept, strict=True):
        assert said == line.rstrip() or (line.startswith(said) and len(r.completion(line.rstrip())) > 24)
    assert built.split == (len(parts) > 1)
    assert (
        built.cut == any(said != line.rstrip() for line, said in zip(expected, kept, strict=True)) or built.split == 0
    )
