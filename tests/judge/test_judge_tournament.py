from collections import Counter

import pytest
from contests import INVALID, entries, play
from hypothesis import given, settings
from hypothesis import strategies as st

from poetune.judge.simulated import SimulatedJudge, noise_for
from poetune.judge.tournament import going_on, tournament, tournament_calls
from poetune.judge.verdicts import ballot, checked, verdict
from poetune.ports import Ballot, Block, Judge
from poetune.recipe import Judging, Simulated

TRUTHFUL = SimulatedJudge(Simulated(accuracy=1.0))
rules = st.builds(Judging, batch=st.integers(2, 12), finals=st.integers(1, 15))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 140), rules, st.integers(0, 9))
def test_calls_are_as_promised_and_winners_are_different_poems(count, rule, seed) -> None:
    winners, log = play(tournament(entries(count), rule, seed), TRUTHFUL)
    assert len(log) == tournament_calls(entries(count), rule)
    assert len(set(winners)) == len(winners) <= rule.finals
    assert bool(winners) == (count > 0)


def test_each_title_is_held_by_itself_and_its_best_meet_the_others() -> None:
    poems = entries(160)  # four titles of 40
    titles = {e.id: e.title for e in poems}
    winners, log = play(tournament(poems, Judging(), 0), TRUTHFUL)
    by_stage = Counter(ask.stage for ask, _ in log)
    assert by_stage == {"title 1": 16, "title 2": 4, "final 1": 2, "final 2": 1}
    for ask, _ in log:
        if ask.stage.startswith("title"):
            assert len({titles[key] for key in ask.block.ids}) == 1
    best = max(poems, key=lambda e: TRUTHFUL.quality(e.id, e.text))
    assert winners[0] == best.id


@pytest.mark.parametrize(
    ("size", "blocks", "finals", "on"), [(10, 1, 5, 5), (10, 10, 5, 1), (10, 3, 5, 2), (2, 4, 9, 1)]
)
def test_of_m_batches_each_sends_on_its_share(size, blocks, finals, on) -> None:
    assert going_on(size, blocks, 10, finals) == on


def test_a_batch_without_an_answer_sends_nobody_on() -> None:
    def garbage(ask, given):
        return INVALID if "p000" in ask.block.ids else given

    winners, log = play(tournament(entries(30), Judging(most_invalid=1.0), 0), TRUTHFUL, garbage)
    last = [ask.block.ids for ask, _ in log if ask.stage.startswith("final")]
    assert winners
    assert not any("p000" in ids for ids in last)


def test_a_verdict_keeps_the_call_and_gives_the_ballot_back() -> None:
    game = tournament(entries(5), Judging(), 0)
    (ask, *_) = next(game)
    given_back = TRUTHFUL.rank(ask.block, "r")
    kept = verdict(ask, given_back, "j", "fusion.v1", round_number=2)
    assert (kept.id, kept.shown, kept.ranking, kept.round) == (ask.id, ask.block.ids, given_back.ranking, 2)
    assert ballot(kept).ranking == given_back.ranking
    wrong = verdict(ask, Ballot(("p000",), "ok", "RANKING: A"), "j", "r")
    assert (wrong.status, wrong.ranking, wrong.raw) == ("invalid", (), "RANKING: A")
    assert checked(ask.block, Ballot(("x",), "invalid")).ranking == ()


def test_the_simulated_judge_errs_as_told() -> None:
    assert isinstance(TRUTHFUL, Judge)
    assert noise_for(1.0) == 0
    ids = tuple(f"q{i}" for i in range(10))
    texts = tuple(f"text {i}" for i in range(10))

    def share(errs: Simulated, seeds: int = 300) -> tuple[float, float, float, int]:
        """Pairs ordered rightly, pairs ordered alike when asked again, mean quality rank of slot 0, garbage."""
        right = alike = pairs = first = garbage = 0
        for seed in range(seeds):
            judge = SimulatedJudge(errs, seed=seed)
            block = Block(tuple(f"{seed}{i}" for i in ids), ("",) * 10, tuple(f"{seed} {t}" for t in texts))
            one, two = (judge.rank(block, again).ranking for again in ("1", "2"))
            garbage += not one
            if not one or not two:
                continue
            quality = {key: judge.quality(key, text) for key, text in zip(block.ids, block.texts, strict=True)}
            first += one.index(block.ids[0])
            for i, a in enumerate(one):
                for b in one[i + 1 :]:
                    right += quality[a] > quality[b]
                    alike += two.index(a) < two.index(b)
                    pairs += 1
        return right / pairs, alike / pairs, first / (seeds - garbage), garbage

    fresh, persistent = share(Simulated()), share(Simulated(persistent=1.0))
    assert abs(fresh[0] - 0.8) < 0.015
    assert abs(persistent[0] - 0.8) < 0.015
    assert fresh[1] < 0.8
    assert persistent[1] == 1.0
    assert share(Simulated(slot_bias=0.5))[2] < fresh[2] - 0.5
    assert 40 < share(Simulated(garbage=0.2))[3] < 80
