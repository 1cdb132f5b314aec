import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import EngineError
from poetune.generate.again import before, with_line

POEM = "Wet plate.\n\nNobody stands there,\ndriver."


def test_a_line_is_replaced_where_it_stands():
    assert before(POEM, 1) == ""
    assert before(POEM, 2) == "Wet plate.\n\n"
    assert with_line(POEM, 2, "\n  A dog sleeps \nand more") == "Wet plate.\n\n  A dog sleeps\ndriver."
    assert with_line(POEM, 2, " \n") == POEM
    for line in (0, 4, -1):
        with pytest.raises(EngineError, match="3 lines"):
            before(POEM, line)


@given(st.lists(st.sampled_from(["", " ", "a b", "雨"]), max_size=8), st.integers(1, 8), st.text(max_size=12))
def test_all_other_lines_stay(lines, line, written):
    text = "\n".join(lines)
    full = [i for i, each in enumerate(lines) if each.strip()]
    if line > len(full):
        return
    changed = with_line(text, line, written).split("\n")
    assert [each for i, each in enumerate(changed) if i != full[line - 1]] == [
        each for i, each in enumerate(lines) if i != full[line - 1]
    ]
    assert with_line(text, line, written).startswith(before(text, line))
