import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poetune.errors import JudgeError
from poetune.judge.simulated import SimulatedJudge
from poetune.judge.tournament import Ask, Entry, Outcome, contest_id, expected_calls, tournament
from poetune.judge.verdicts import ballot, checked, verdict
from poetune.ports import Ballot, Block, Judge
from poetune.recipe import Judging

LENIENT = Judging(most_invalid=1.0)


def entries(count: int) -> list[Entry]:
    return [Entry(f"p{i:03}", "rain", f"poem {i}", group=f"model {i % 3}") for i in range(count)]


def play(poems: list[Entry], rules: Judging, judge: Judge, seed: int = 0) -> tuple[Outcome, list[tuple[Ask, Ballot]]]:
    contest = tournament(poems, rules, seed)
    log: list[tuple[Ask, Ballot]] = []
    try:
        asks = next(contest)
        while True:
            ballots = [judge.rank(ask.block, rules.rubric) for ask in asks]
            log += zip(asks, ballots, strict=True)
            asks = contest.send(ballots)
    except StopIteration as end:
        return end.value, log


sizes = st.integers(0, 140)
rules = st.builds(Judging, batch=st.integers(2, 12), finals=st.integers(1, 15), most_invalid=st.just(1.0))


@settings(max_examples=80, deadline=None)
@given(sizes, rules, st.integers(0, 9), st.sampled_from([0.0, 0.3, 1.0]))
def test_every_poem_is_placed_or_unranked_exactly_once(count, rule, seed, invalid_rate):
    outcome, log = play(entries(count), rule, SimulatedJudge(invalid_rate=invalid_rate, seed=seed), seed)
    told = [place.id for place in outcome.placed] + list(outcome.unranked)
    assert sorted(told) == [entry.id for entry in entries(count)]
    assert set(outcome.winners) <= {place.id for place in outcome.placed if place.stage == "final"}
    assert len({ask.id for ask, _ in log}) == len(log) == outcome.calls
    assert all(2 <= len(ask.block.ids) <= rule.batch for ask, _ in log)
    if invalid_rate == 0:
        assert outcome.unranked == ()
        assert outcome.calls == expected_calls(count, rule)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 140), rules, st.integers(0, 9))
def test_a_perfect_judge_gets_the_best_first(count, rule, seed):
    poems = entries(count)
    judge = SimulatedJudge({entry.id: float(i) for i, entry in enumerate(poems)})
    outcome, _ = play(poems, rule, judge, seed)
    assert outcome.winners[0] == poems[-1].id
    assert list(outcome.winners) == sorted(outcome.winners, reverse=True)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 120), rules, st.integers(0, 9))
def test_an_unreadable_block_advances_nobody(count, rule, seed):
    judge = SimulatedJudge(seed=seed, invalid_rate=0.5)
    outcome, log = play(entries(count), rule, judge, seed)
    order = list(dict.fromkeys(ask.stage for ask, _ in log))
    for ask, _ in log:
        shown = set(ask.block.ids)
        answers = [b for a, b in log if a.stage == ask.stage and set(a.block.ids) == shown]
        if all(b.status == "invalid" for b in answers):
            later = [a for a, _ in log if order.index(a.stage) > order.index(ask.stage)]
            assert shown <= set(outcome.unranked)
            assert shown.isdisjoint(key for a in later for key in a.block.ids)
            assert len(answers) == 2


def test_the_sources_numbers_of_poems_go_on():
    judge = SimulatedJudge({entry.id: float(i) for i, entry in enumerate(entries(95))})
    _, log = play(entries(95), Judging(), judge)
    by_stage = {stage: [len(a.block.ids) for a, _ in log if a.stage == stage] for stage in ("1", "2", "final")}
    assert by_stage["1"] == [10] * 5 + [9] * 5
    assert by_stage["2"] == []
    assert by_stage["final"] == [10 * math.ceil(5 / 10)]
    _, log = play(entries(20), Judging(), judge)
    assert [len(a.block.ids) for a, _ in log] == [10, 10, 2 * math.ceil(5 / 2)]


def test_an_invalid_block_is_asked_once_more_in_another_order():
    class Deaf:
        name = "deaf"

        def rank(self, block: Block, rubric: str) -> Ballot:
            return Ballot((), "invalid", "?")

    outcome, log = play(entries(6), LENIENT, Deaf())
    (first, _), (second, _) = log
    assert first.id != second.id
    assert sorted(first.block.ids) == sorted(second.block.ids)
    assert first.block.ids != second.block.ids
    assert outcome.unranked == tuple(sorted(first.block.ids))
    assert (outcome.winners, outcome.placed, outcome.invalid) == ((), (), 2)
    with pytest.raises(JudgeError, match="2 of 2 answers"):
        play(entries(6), Judging(), Deaf())


def test_a_ballot_that_is_no_permutation_is_invalid_even_if_it_says_ok():
    class Sloppy:
        name = "sloppy"

        def rank(self, block: Block, rubric: str) -> Ballot:
            return Ballot((block.ids[0],) * len(block.ids), "ok")

    outcome, log = play(entries(4), LENIENT, Sloppy())
    assert len(outcome.unranked) == 4
    ask, bad = log[0]
    kept = verdict(ask, bad, "sloppy", LENIENT.rubric)
    assert (kept.status, kept.ranking, kept.shown) == ("invalid", (), ask.block.ids)
    assert kept.reason


def test_stored_verdicts_replay_a_contest_without_a_judge():
    judge = SimulatedJudge(noise=1.0, invalid_rate=0.2)
    outcome, log = play(entries(60), LENIENT, judge)
    stored = {a.id: verdict(a, checked(a.block, b), judge.name, LENIENT.rubric) for a, b in log}
    contest = tournament(list(reversed(entries(60))), LENIENT, 0)
    answer = next(contest)
    replayed = None
    while replayed is None:
        try:
            answer = contest.send([ballot(stored[ask.id]) for ask in answer])
        except StopIteration as end:
            replayed = end.value
    assert replayed == outcome


def test_blocks_mix_the_groups_and_the_seed_deals():
    first = next(tournament(entries(30), Judging(), 0))
    groups = {entry.id: entry.group for entry in entries(30)}
    for ask in first:
        counts = [sum(groups[key] == name for key in ask.block.ids) for name in set(groups.values())]
        assert max(counts) - min(counts) <= 1
    other = next(tournament(entries(30), Judging(), 1))
    assert {ask.block.ids for ask in first} != {ask.block.ids for ask in other}


def test_poems_shown_late_come_early_next_time():
    _, log = play(entries(95), Judging(), SimulatedJudge(noise=2.0))
    slot = {key: i / (len(a.block.ids) - 1) for a, _ in log if a.stage == "1" for i, key in enumerate(a.block.ids)}
    final = [slot[key] for key in log[-1][0].block.ids]
    assert final == sorted(final, reverse=True)
    assert len(set(final)) > 1


def test_a_contest_is_named_by_who_takes_part_and_who_judges():
    poems = entries(3)
    assert contest_id(poems, Judging(), 0) == contest_id(poems[::-1], Judging(timeout=5), 0)
    assert contest_id(poems, Judging(), 0) != contest_id(poems, Judging(model="x"), 0)
    with pytest.raises(JudgeError, match="twice"):
        next(tournament([poems[0], poems[0]], Judging(), 0))
