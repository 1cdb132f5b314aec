import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import PoetuneError, RecipeError
from poetune.generate.codes import decode, encode
from poetune.generate.samples import sample_block
from poetune.generate.themes import Theme, bundled, collect, parse
from poetune.generate.titles import split_title
from poetune.records import Prompt, Sampling
from poetune.verse.lines import lines


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("《夜雨》\n\n窗外\n灯", "夜雨", "窗外\n灯"),
        ("《夜雨》\n窗外\n灯", "夜雨", "窗外\n灯"),
        ("Night Rain\n\nThe window\nand the lamp", "Night Rain", "The window\nand the lamp"),
        ("# Night Rain\nThe window\nand the lamp", "Night Rain", "The window\nand the lamp"),
        ("**Night Rain**\n\nThe window", "Night Rain", "The window"),
        ("\n\nTitle: Night Rain\n\nThe window", "Night Rain", "The window"),
        ("The window,\n\nand the lamp\nare one", "theme", None),
        ("The window\n\nthe lamp\n\nthe rain", "theme", None),
        ("The window\nthe lamp\n\nthe rain\nthe end", "theme", None),
        ("It was a night on which nobody slept at all\n\nthe rain\nthe end", "theme", None),
        ("Rain", "theme", None),
        ("《夜雨》", "theme", None),
        ("", "theme", None),
    ],
)
def test_titles(text, title, body):
    assert split_title(text, "theme") == (title, text if body is None else body)


@given(st.text(alphabet=st.sampled_from("ab 《》\n#*:，雨") | st.characters(), max_size=60))
def test_a_title_takes_at_most_the_first_line(text):
    title, body = split_title(text, "theme")
    assert lines(body) in (lines(text), lines(text)[1:])
    assert title == "theme" or title in text


@given(st.integers(0, 500), st.integers(0, 4))
def test_codes_of_whole_hundreds_go_both_ways(hundreds, index):
    assert decode(encode(hundreds * 100, index)) == (hundreds * 100, index)


@given(st.integers(-1000, 9999))
def test_what_decodes_encodes_to_itself_and_the_rest_is_refused(code):
    if code >= 0 and code % 100 < 5:
        assert encode(*decode(code)) == code
    else:
        with pytest.raises(PoetuneError, match="no checkpoint code"):
            decode(code)


def test_codes_that_would_not_decode_are_refused():
    assert encode(1200, 3) == 1203
    for step, index in [(150, 0), (-100, 0), (100, 5), (100, -1)]:
        with pytest.raises(PoetuneError, match="checkpoint code"):
            encode(step, index)


def test_theme_lists_have_groups_and_the_words_of_a_chinese_line_are_themes():
    text = "\ufeff河 干涸\u3000虫翅\r\n\n# Concrete\npaper  river\nrain\n# this is a remark, no group\n"
    text += "rain\n#unusual\n蝶刃\n"
    assert parse(text) == [
        Theme("河"),
        Theme("干涸"),
        Theme("虫翅"),
        Theme("paper river", "concrete"),
        Theme("rain", "concrete"),
        Theme("蝶刃", "unusual"),
    ]


def test_bundled_lists_have_the_four_groups():
    for name in ("en", "zh"):
        themes = bundled(name)
        assert {theme.group for theme in themes} == {"concrete", "abstract", "compound", "unusual"}
        assert len({theme.text for theme in themes}) == len(themes)
    assert set(bundled("auto")) == set(bundled("en")) | set(bundled("zh"))


def test_a_recipe_names_themes_and_files(tmp_path):
    (tmp_path / "mine.txt").write_text("# abstract\n疏离 rain\n", encoding="utf-8")
    (tmp_path / "empty.txt").write_text("# abstract\n")
    (tmp_path / "gbk.txt").write_bytes("疏离".encode("gbk"))
    assert collect(["rain", "mine.txt"], tmp_path) == [Theme("rain"), Theme("疏离", "abstract")]
    assert collect([], tmp_path, "zh") == bundled("zh")
    for name, message in [("none.txt", "no file"), ("empty.txt", "no theme"), ("gbk.txt", "UTF-8")]:
        with pytest.raises(RecipeError, match=message):
            collect([name], tmp_path)


def test_a_sample_says_what_was_asked_and_keeps_the_poem():
    prompt = Prompt("rain", "airy.v1", system="Write\nwell", opening="one\ntwo")
    block = sample_block(prompt, "step 300", Sampling(0.8, 0.95, 0, 1.1, max_lines=4), "a\n\n  b\n", "Night")
    assert block.endswith("\n\na\n\n  b\n\n")
    for line in ("prompt: rain", "template: airy.v1", "model: step 300", "system: Write well", "title: Night", "  two"):
        assert line in block.split("\n")
    assert "sampling: temperature 0.8, top-p 0.95, repetition penalty 1.1, at most 200 tokens, at most 4 lines" in block
    greedy = sample_block(Prompt("x"), "m", Sampling(0.0, repetition_penalty=1.0, beams=3), "t")
    assert "sampling: greedy, 3 beams, at most 200 tokens" in greedy
