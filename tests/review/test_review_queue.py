from hypothesis import given
from hypothesis import strategies as st

from poetune.records import Candidate, Sampling
from poetune.review import difference, queue, seconds_left
from poetune.review.queue import GAP


def candidate(name: str, text: str | None = None, stop: str = "eos") -> Candidate:
    return Candidate(name, "m", "p", Sampling(), 0, f"poem {name}" if text is None else text, "", stop, 3)


names = st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=12)


def drawn(found, kind):
    return [item.candidate for item in found if item.drawn == kind]


@given(names, names, st.integers(0, 9))
def test_every_poem_once_the_judges_best_in_their_order(have, order, seed):
    found = queue([candidate(n) for n in have], order, seed=seed)
    once = [item.candidate for item in found if item.drawn != "repeat"]
    assert sorted(once) == sorted(have)
    best = drawn(found, "best")
    assert best == [n for n in order if n in best]


@given(names, st.integers(0, 9))
def test_unranked_order_is_the_seeds_and_survives_newcomers(have, seed):
    poems = [candidate(n) for n in have]
    before = drawn(queue(poems, seed=seed), "explore")
    assert before == drawn(queue(poems[::-1], seed=seed), "explore")
    after = drawn(queue([*poems, candidate("newcomer")], seed=seed), "explore")
    assert [i for i in after if i != "newcomer"] == before


@given(st.integers(0, 50))
def test_of_each_hundred_slots_fifteen_go_past_the_judge_and_five_repeat(seed):
    poems = [candidate(f"{n:04}") for n in range(400)]
    found = queue(poems, [c.id for c in poems], limit=100, seed=seed)
    assert len(found) == 100
    assert len(drawn(found, "explore")) == 15
    repeats = [(place, item.candidate) for place, item in enumerate(found) if item.drawn == "repeat"]
    assert 4 <= len(repeats) <= 5  # a repeat in the first slots has nothing to repeat yet
    first = {item.candidate: place for place, item in reversed(list(enumerate(found)))}
    assert all(place - first[again] >= GAP for place, again in repeats)
    assert len({again for _, again in repeats}) == len(repeats)


def test_the_grids_order_does_not_show():
    poems = [candidate(f"{n:02}") for n in range(30)]
    assert drawn(queue(poems), "explore") != [c.id for c in poems]
    assert queue(poems, seed=1) != queue(poems, seed=2)


def test_empty_failed_and_repeated_poems_are_left_out_and_the_limit_holds():
    poems = [candidate("a", "rain"), candidate("b", "rain\n"), candidate("c", " \n"), candidate("d", "x", "error")]
    assert [item.candidate for item in queue(poems, ["b", "a", "b"])] == ["b"]
    assert len(queue([candidate("a"), candidate("b"), candidate("c")], ["c", "b"], limit=1)) == 1


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
