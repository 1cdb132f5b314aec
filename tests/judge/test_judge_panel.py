from contests import entries, play

from poetune.judge.funnel import funnel
from poetune.judge.panel import Panel, panel, words
from poetune.judge.ratings import ratings
from poetune.judge.simulated import SimulatedJudge
from poetune.judge.verdicts import verdict
from poetune.recipe import Judging, Simulated
from poetune.records import Verdict

POEMS = entries(200)
TEXTS = {e.id: e.text for e in POEMS}


def held(**errs: float) -> tuple[list[Verdict], SimulatedJudge]:
    judge = SimulatedJudge(Simulated(**errs), length=10.0)
    _, log = play(funnel(POEMS, Judging(most_invalid=1.0, looks=4), 0), judge)
    return [verdict(ask, ballot, "j", "r") for ask, ballot in log], judge


def seen(accepted: list[str] = [], rejected: list[str] = [], **errs: float) -> tuple[Panel, str]:  # noqa: B006
    verdicts, _ = held(**errs)
    found = panel(verdicts, TEXTS, ratings(verdicts, TEXTS, replicates=0), accepted, rejected)
    return found, " ".join(words(found))


def test_a_steady_judge_turns_no_pair_and_a_noisy_one_some() -> None:
    steady, said = seen(accuracy=1.0)
    assert steady.flips is not None
    assert steady.flips.value == 0
    assert "turned 0% of" in said
    noisy, _ = seen(accuracy=0.7)
    assert noisy.flips is not None
    assert 0.2 < noisy.flips.value < 0.5


def test_leanings_are_told_and_a_fair_judge_has_none() -> None:
    _, said = seen(slot_bias=0.8)
    assert "places those shown early higher" in said
    _, said = seen(length_bias=3.0)
    assert "places longer poems higher" in said
    fair, said = seen()
    assert fair.slot is not None
    assert abs(fair.slot.value) < 0.15
    assert "No leaning by the place on the page" in said


def test_garbage_is_counted() -> None:
    found, said = seen(garbage=0.3)
    assert 0.15 < found.unreadable / found.answers < 0.45
    assert f"{found.unreadable} of {found.answers} answers could not be read" in said


def test_agreement_with_the_reader_has_an_interval_and_needs_enough_decisions() -> None:
    _, judge = held()
    order = sorted(TEXTS, key=lambda key: -judge.quality(key, TEXTS[key]))
    agrees, said = seen(order[:40:3], order[-40::3])
    assert agrees.agreement is not None
    assert agrees.agreement.low > 0.8
    assert "agrees with you" in said
    _, said = seen(order[-40::3], order[:40:3])
    assert "goes against you" in said
    few, said = seen(order[:4], order[-9:])
    assert few.agreement is None
    assert "too few" in said
