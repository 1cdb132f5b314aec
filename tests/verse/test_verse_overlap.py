"""Copied lines, repetition."""

from hypothesis import given
from hypothesis import strategies as st

from poetune.verse.lines import clauses, language, stanzas, units
from poetune.verse.overlap import LineIndex, distinct, repetition

SONNET = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:"
MOON = "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。"


def test_units_are_words_or_characters() -> None:
    assert units("Thou art, 明月!") == ["thou", "art", "明", "月"]
    assert clauses(MOON) == ["床前明月光", "疑是地上霜", "举头望明月", "低头思故乡"]
    assert stanzas("a\nb\n\n\nc\n") == [["a", "b"], ["c"]]


@given(st.text(alphabet=st.characters() | st.sampled_from("aB'’ é明")))
def test_units_are_the_same_with_and_without_han_characters_around(text: str) -> None:
    assert units(f"明\n{text}\n月")[1:-1] == units(text)


def test_languages() -> None:
    assert [language(t) for t in (SONNET, MOON, "…\n", "雨 and rain in Beijing town")] == ["en", "zh", "", "en"]


def test_a_copied_line_is_found_whatever_its_case_and_punctuation() -> None:
    index = LineIndex({"s": SONNET, "m": MOON})
    found = index.copied("I said: \nshall i compare thee, to a summer’s day\n疑是地上霜！")
    assert [(c.line, c.source, c.original) for c in found] == [
        ("shall i compare thee, to a summer’s day", "s", "Shall I compare thee to a summer's day?"),
        ("疑是地上霜！", "m", "疑是地上霜"),
    ]
    assert index.copied("Shall I") == []


@given(st.lists(st.sampled_from(["a b c d", "e f g h", "i j k l"]), min_size=1, max_size=5))
def test_a_loop_scores_higher_than_its_parts(parts: list[str]) -> None:
    once = "\n".join(dict.fromkeys(parts))
    assert repetition("\n".join([once] * 4)) > repetition(once)
    assert 0 <= distinct(parts, 2) <= 1
