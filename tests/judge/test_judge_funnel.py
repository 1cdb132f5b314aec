from collections import Counter
from itertools import pairwise

import pytest
from contests import INVALID, entries, play
from hypothesis import given, settings
from hypothesis import strategies as st

from poetune.errors import JudgeError
from poetune.judge.contest import contest, contest_calls
from poetune.judge.funnel import funnel, funnel_calls
from poetune.judge.simulated import SimulatedJudge
from poetune.recipe import Judging, Simulated

JUDGE = SimulatedJudge(Simulated())
rules = st.builds(Judging, batch=st.integers(2, 12), finals=st.integers(1, 8), looks=st.floats(1, 4))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 70), rules, st.integers(0, 9))
def test_it_takes_the_calls_it_promised_and_shows_every_poem(count, rule, seed) -> None:
    order, log = play(funnel(entries(count), rule, seed), JUDGE)
    assert len(log) == funnel_calls(count, rule)
    assert sorted(order) == [e.id for e in entries(count)]
    shown = Counter(key for ask, _ in log for key in ask.block.ids)
    assert all(len(set(ask.block.ids)) == len(ask.block.ids) <= rule.batch for ask, _ in log)
    assert len(shown) == count or count < 2 or any(count % n == 1 for n in range(1, count))  # one left over is no block


def test_the_same_contest_asks_the_same_again_and_another_seed_does_not() -> None:
    asked = [
        [ask.id for ask, _ in play(funnel(entries(60), Judging(), seed), SimulatedJudge(Simulated()))[1]]
        for seed in (1, 1, 2)
    ]
    assert asked[0] == asked[1]
    assert not set(asked[0]) & set(asked[2])


def test_the_first_blocks_mix_models_and_themes_and_slots_even_out() -> None:
    _, log = play(funnel(entries(60), Judging(looks=8), 0), JUDGE)
    first = [ask for ask, _ in log if ask.stage == "1"]
    groups = {e.id: e.group for e in entries(60)}
    for ask in first:
        models = Counter(groups[key][0] for key in ask.block.ids)
        assert max(models.values()) - min(models.values()) <= 1
        assert len({groups[key][1] for key in ask.block.ids}) == 4
    slots: dict[str, list[float]] = {}
    for ask, _ in log:
        for slot, key in enumerate(ask.block.ids):
            slots.setdefault(key, []).append(slot / (len(ask.block.ids) - 1))
    often = [sum(found) / len(found) for found in slots.values() if len(found) >= 8]
    assert often
    assert all(0.3 < mean < 0.7 for mean in often)


def test_later_calls_go_to_poems_that_may_be_best_and_some_blocks_are_shown_in_reverse() -> None:
    poems = entries(300)
    judge = SimulatedJudge(Simulated(accuracy=0.9), {e.id: i / 60 for i, e in enumerate(poems)})
    order, log = play(funnel(poems, Judging(), 0), judge)
    assert set(order[:5]) <= {e.id for e in poems[-30:]}
    last = [ask.block.ids for ask, _ in log if ask.stage == "all"]
    strength = [sum(int(key[1:]) for key in ids) / len(ids) for ids in last]
    assert sum(strength) / len(strength) > 230
    assert any(ids[::-1] in last for ids in last)


def test_an_unreadable_block_is_asked_once_more_in_another_order_and_sends_nobody_on() -> None:
    bad: set[str] = set()

    def garbage(ask, ballot):
        if not bad:
            bad.update(ask.block.ids)
        return INVALID if set(ask.block.ids) == bad else ballot

    order, log = play(funnel(entries(60), Judging(most_invalid=1.0), 0), JUDGE, garbage)
    asked = [ask for ask, _ in log if set(ask.block.ids) == bad]
    assert [ask.attempt for ask in asked] == [1, 2]
    assert asked[0].block.ids != asked[1].block.ids
    assert len(order) == 60


def test_more_than_one_block_in_twenty_unreadable_fails_at_once_and_one_in_thirty_does_not() -> None:
    for most, of in ((1, 30), (2, 30)):
        lost: set[tuple[str, ...]] = set()

        def garbage(ask, ballot, most=most, lost=lost):
            key = tuple(sorted(ask.block.ids))
            if len(lost) < most or key in lost:
                lost.add(key)
                return INVALID
            return ballot

        game = funnel(entries(of * 4), Judging(), 0)
        if most == 1:
            assert len(play(game, JUDGE, garbage)[1]) >= 28
        else:
            with pytest.raises(JudgeError, match=r"2 of 29 blocks had no answer"):
                play(game, JUDGE, garbage)


def test_pairs_of_the_best_are_shown_in_both_orders() -> None:
    rule = Judging(pairs=4)
    order, log = play(contest(entries(40), rule, 0), SimulatedJudge(Simulated(accuracy=1.0)))
    pairs = [ask.block.ids for ask, _ in log if ask.stage == "pairs"]
    assert len(log) == contest_calls(entries(40), rule)
    assert len(set(pairs)) == 12
    assert all(pair[::-1] in pairs for pair in pairs)
    judge = SimulatedJudge(Simulated(accuracy=1.0))
    first = [judge.quality(key, next(e.text for e in entries(40) if e.id == key)) for key in order[:4]]
    assert all(a >= b for a, b in pairwise(first))


def test_an_unreadable_pair_is_asked_again_in_its_own_order() -> None:
    def garbage(ask, ballot):
        return INVALID if ask.stage == "pairs" and ask.attempt == 1 else ballot

    _, log = play(contest(entries(40), Judging(pairs=3), 0), JUDGE, garbage)
    pairs = [ask.block.ids for ask, _ in log if ask.stage == "pairs"]
    assert pairs[:6] == pairs[6:]
    assert len(set(pairs)) == 6


def test_a_poem_given_twice_is_refused() -> None:
    with pytest.raises(JudgeError, match="twice"):
        play(funnel([*entries(3), *entries(1)], Judging(), 0), JUDGE)
