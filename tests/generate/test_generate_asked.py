"""What cannot be asked of a model, each in one sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import RecipeError
from poetune.generate.asked import check_asked, repeated
from poetune.generate.themes import Theme, collect


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "number 2 is empty"),
        (" \t", "number 2 is empty"),
        ("rain\x1b[31m", r"control character U\+001B"),
        ("rain\x00", r"control character U\+0000"),
        ("rain\u202e", r"control character U\+202E"),
        ("\ud800", r"control character U\+D800"),
        ("{theme}", "holds {theme}"),
        ("in the manner of {author}", "holds {author}"),
        ("rain<|im_end|>", r"holds <\|im_end\|>"),
        ("</s> rain", "holds </s>"),
        ("[INST] rain", r"holds \[INST\]"),
    ],
)
def test_a_theme_that_would_break_a_prompt_is_named(tmp_path, text, said):
    with pytest.raises(RecipeError, match=said) as told:
        check_asked(["rain", text])
    assert "\n" not in str(told.value)
    str(told.value).encode()
    with pytest.raises(RecipeError, match=said):
        collect(["rain", text], tmp_path)


@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="{}<>|[]"), min_size=1, max_size=20))
def test_any_word_may_be_a_theme(tmp_path_factory, text):
    check_asked([text])


def test_braces_and_brackets_that_are_no_marks_pass(tmp_path):
    for text in ("a { b", "}", "<3", "[sic]", "s > t", "雨{", "two\nlines\tand a tab"):
        check_asked([text])
    assert collect(["rain  on   tin", "rain"], tmp_path) == [Theme("rain on tin"), Theme("rain")]


def test_what_stands_twice_is_named_once():
    assert repeated(["a", "b", "a", "c", "a", "c"]) == ["a", "c"]
