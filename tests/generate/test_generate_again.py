"""A line written anew stands in its place, and nothing around it moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import EngineError
from poetune.generate.again import place
from poetune.records import Candidate, Prompt, Sampling

ROWS = st.lists(st.sampled_from(["", "  ", "a b", "  c,", "床前"]), min_size=1, max_size=8)


def written(text: str) -> Candidate:
    return Candidate("id", "m", "p", Sampling(), 0, text, "t", "lines", 4)


@given(ROWS, st.integers(1, 8))
def test_a_new_line_takes_the_old_one_s_place(rows: list[str], number: int) -> None:
    text = "\n".join(rows).strip("\n")
    printed = [row for row in text.split("\n") if row.strip()]
    if number > len(printed):
        with pytest.raises(EngineError, match=f"line {number} was asked for"):
            place(text, number)
        return
    at = place(text, number)
    assert (at.line, at.before + at.line + at.after) == (printed[number - 1], text)
    assert (at.prompt(Prompt("rain")).opening, at.sampling(Sampling()).max_lines) == (at.before, number)
    poem = written(at.before + "new, newer\nand more")
    line = at.new_line(poem)
    assert line == "new, newer"
    filled = at.filled(line, poem, "rain")
    assert filled.text.split("\n") == [
        line if at.before.count("\n") == i else row for i, row in enumerate(text.split("\n"))
    ]
    assert filled.id != poem.id


def test_an_empty_line_or_the_same_again_is_none() -> None:
    at = place("One lamp on the plate.\nTwo trucks", 2)
    for said, line in {"": "", "\n": "", "two TRUCKS,": "", "\n  Nine tons \nmore": "  Nine tons"}.items():
        assert at.new_line(written(at.before + said)) == line
    with pytest.raises(EngineError, match="temperature is 0"):
        at.sampling(Sampling(temperature=0))
