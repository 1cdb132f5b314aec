from hypothesis import given
from hypothesis import strategies as st

from poetune.records import Candidate, Sampling
from poetune.review import difference, queue, seconds_left


def candidate(name: str, text: str | None = None, stop: str = "eos") -> Candidate:
    return Candidate(name, "m", "p", Sampling(), 0, f"poem {name}" if text is None else text, "", stop, 3)


names = st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=12)


@given(names, names, st.integers(0, 9))
def test_ranked_first_in_their_order_then_all_others_once(have, order, seed):
    found = queue([candidate(n) for n in have], order, seed=seed)
    ranked = [n for n in order if n in have]
    assert list(found[: len(ranked)]) == ranked
    assert sorted(found) == sorted(have)


@given(names, st.integers(0, 9))
def test_unranked_order_is_the_seeds_and_survives_newcomers(have, seed):
    poems = [candidate(n) for n in have]
    before = queue(poems, seed=seed)
    assert before == queue(poems[::-1], seed=seed)
    after = queue([*poems, candidate("newcomer")], seed=seed)
    assert tuple(i for i in after if i != "newcomer") == before


def test_the_grids_order_does_not_show():
    poems = [candidate(f"{n:02}") for n in range(30)]
    assert queue(poems) != tuple(c.id for c in poems)
    assert queue(poems, seed=1) != queue(poems, seed=2)


def test_empty_failed_and_repeated_poems_are_left_out_and_the_limit_holds():
    poems = [candidate("a", "rain"), candidate("b", "rain\n"), candidate("c", " \n"), candidate("d", "x", "error")]
    assert queue(poems, ["b", "a", "b"]) == ("b",)
    assert queue([candidate("a"), candidate("b"), candidate("c")], ["c", "b"], limit=1) == ("c",)


verse = st.lists(st.text("ab 山水，", max_size=8), min_size=1, max_size=8).map("\n".join)


@given(verse, verse)
def test_a_difference_holds_both_texts(before, after):
    rows = difference(before, after)
    assert "\n".join(r.text for r in rows if r.kind != "added") == before
    assert "\n".join(r.text for r in rows if r.kind != "removed") == after
    if before == after:
        assert {r.kind for r in rows} == {"same"}


def test_a_changed_word_or_character_is_marked_within_its_line():
    rows = difference("one\nthe grey tongue of the dog", "one\nthe red tongue of the dog")
    assert [r.kind for r in rows] == ["same", "removed", "added"]
    assert [text for text, changed in rows[2].parts if changed] == ["red"]
    assert [t for t, changed in difference("床前明月光", "床前看月光")[1].parts if changed] == ["看"]


def test_a_huge_edit_is_still_told_line_by_line():
    rows = difference("\n" * 5000, "x\n" * 5000)
    assert sum(r.kind == "added" for r in rows) == 5001


def test_time_left_is_the_median_pace_and_a_break_does_not_count():
    at = ["2026-01-01T10:00:00+00:00", "2026-01-01T10:00:10+00:00", "2026-01-01T12:00:00+00:00"]
    assert seconds_left(at, 5) is None
    at += ["2026-01-01T12:00:20+00:00", "2026-01-01T12:00:50+00:00"]
    assert seconds_left(at, 5) == 100.0
