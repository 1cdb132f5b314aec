import json
from dataclasses import asdict

import pytest

from poetune.rounds.copies import Copies, Originals
from poetune.rounds.guards import Piece, copying, diversity, loss, refused, twins

WORDS = [f"{a}{b}" for a in ("sal", "tor", "min", "vel", "quo") for b in ("a", "en", "id", "os", "um", "ix")]
LOOP = "rain and rain again\n" * 6


def text(start, count=24):
    words = [WORDS[(start + i * i + i * start) % len(WORDS)] for i in range(count)]
    return "\n".join(" ".join(words[i : i + 6]) for i in range(0, count, 6))


def pieces(numbers, theme="rain"):
    return [Piece(theme, text(i)) for i in numbers]


def by_name(figures):
    return {figure.name: figure for figure in figures}


def test_a_round_as_varied_as_the_first_passes_and_a_narrow_one_fails_in_all_three():
    first = pieces(range(12))
    same = diversity(pieces(range(15, 27)), first, "new", "round 1", 0.8, themes=True)
    assert [figure.failed for figure in same] == [False] * 3
    narrow = by_name(diversity([Piece("rain", LOOP)] * 12, first, "new", "round 1", 0.8, themes=True))
    assert all(figure.failed for figure in narrow.values())
    assert narrow["mean distance on one theme"].now == pytest.approx(0)
    assert narrow["different openings"].now == pytest.approx(1 / 12)
    json.dumps([asdict(figure) for figure in narrow.values()])


def test_only_themes_that_both_have_count_and_too_little_text_fails_nothing():
    first = [*pieces(range(12)), *[Piece("salt", LOOP)] * 12]
    now = pieces(range(15, 27))
    shared = by_name(diversity(now, first, "new", "round 1", 0.8, themes=True))
    assert shared["distinct word pairs"].before > 0.5
    assert not any(figure.failed for figure in shared.values())
    few = diversity([Piece("rain", "rain rain")] * 2, first, "new", "round 1", 0.8, themes=False)
    assert [figure.now for figure in few if figure.name != "mean distance"] == [None, None]


@pytest.mark.parametrize(("now", "failed"), [(2.03, False), (2.05, True), (None, False)])
def test_a_held_out_loss_may_rise_by_its_share_alone(now, failed):
    assert loss(2.0, now, "the model", "round 1", 0.02).failed is failed
    assert loss(None, now, "the model", "round 1", 0.02).failed is False


def test_copying_is_held_against_the_first_round_and_the_poets_own_poems():
    originals = Originals({"a": text(1), "b": text(2)}, 4, 5)
    copied = originals.copies([text(1), text(7)])
    assert (copied.copied, copied.countable, copied.share, copied.grams) == (4, 8, 0.5, 0.5)
    nothing, poet = Copies(share=0.0, grams=0.0), Copies(share=0.6, grams=0.6)
    assert [f.failed for f in copying(copied, nothing, nothing, "new", "round 1", 0.02)] == [True, True]
    assert [f.failed for f in copying(copied, nothing, poet, "new", "round 1", 0.02)] == [False, False]
    one = Copies(1, 8, 0.125, 0.01)
    assert [f.failed for f in copying(one, nothing, nothing, "new", "round 1", 0.02)] == [False, False]


def test_near_twins_of_an_original_fail_and_an_accepted_guard_lets_them_by():
    originals = Originals({"a": text(1)}, 4, 5)
    found = twins(originals.twins({"c": text(1).upper(), "d": text(9)}))
    assert (found.now, found.failed) == (1.0, True)
    assert refused([found], []) == [found]
    assert refused([found], ["copying"]) == []
    assert refused([found], ["loss"]) == [found]
    assert "near twins of the accepted poems 1, 0 of the corpus (limit 0)" in found.sentence()


def test_distances_may_fall_half_as_far():
    found = by_name(diversity(pieces(range(15, 27)), pieces(range(12)), "new", "round 1", 0.8, themes=True))
    parts = {name: figure.limit / figure.before for name, figure in found.items()}
    assert parts == {
        "distinct word pairs": pytest.approx(0.8),
        "mean distance on one theme": pytest.approx(0.9),
        "different openings": pytest.approx(0.8),
    }
