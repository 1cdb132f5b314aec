from hypothesis import given
from hypothesis import strategies as st

from poetune.verse.drift import STRETCH, course, prosaic, turn

VERSE = "\n".join(["four words in line"] * 10)
PROSE = " ".join(["and then the talk runs on without an end to it"] * 6)


def test_verse_that_runs_into_prose_is_seen_where_it_does():
    assert not any(prosaic(VERSE, 8))
    assert all(prosaic(PROSE, 8))
    found = course([VERSE + "\n" + PROSE] * 5, 8)
    assert [s.share for s in found[:4]] == [0.0] * 4
    assert turn(found, 0.05) == 40
    assert turn(course([VERSE] * 5, 8), 0.05) is None
    assert course([VERSE] * 4, 8) == ()


def test_prose_that_comes_back_to_verse_has_not_turned_for_good():
    found = course([VERSE + "\n" + PROSE + "\n" + VERSE] * 5, 8)
    assert turn(found, 0.05) is None


@given(st.text(st.sampled_from("ab \n山。"), max_size=80), st.integers(1, 9))
def test_there_is_a_mark_for_every_stretch(text, longest):
    from poetune.verse.lines import lines, units

    count = sum(len(units(line)) for line in lines(text))
    assert len(prosaic(text, longest)) in {count // STRETCH, -(-count // STRETCH)}
