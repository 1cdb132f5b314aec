import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from poetune.judge.ratings import ratings, standing
from poetune.judge.simulated import SimulatedJudge
from poetune.judge.tournament import Outcome, Place
from poetune.ports import Block
from poetune.records import Verdict


def told(number: int, ranking: tuple[str, ...], status: str = "ok") -> Verdict:
    return Verdict(f"v{number}", "c", "j", "r", ranking, ranking if status == "ok" else (), status)


def simulated(poems: int, calls: int, noise: float) -> list[Verdict]:
    ids = [f"p{i:02}" for i in range(poems)]
    judge = SimulatedJudge({key: i / 4 for i, key in enumerate(ids)}, noise=noise)
    chance = random.Random(7)
    out = []
    for call in range(calls):
        shown = tuple(chance.sample(ids, 8))
        out.append(told(call, judge.rank(Block(shown, ("",) * 8, ("",) * 8), f"r{call}").ranking))
    return out


def test_strengths_are_recovered_with_honest_intervals():
    rated = {r.id: r for r in ratings(simulated(20, 400, noise=1.0))}
    truth = {key: int(key[1:]) / 4 for key in rated}
    centre = sum(truth.values()) / len(truth)
    shift = sum(r.strength for r in rated.values()) / len(rated)
    errors = [rated[key].strength - shift - (truth[key] - centre) for key in rated]
    assert max(map(abs, errors)) < 0.5
    inside = [abs(e) <= rated[key].high - rated[key].strength for e, key in zip(errors, rated, strict=True)]
    assert sum(inside) >= 16
    assert all(r.low < r.strength < r.high for r in rated.values())


def test_a_perfect_judges_order_is_recovered():
    rated = ratings(simulated(20, 60, noise=0.0))
    assert [r.id for r in rated] == [f"p{i:02}" for i in reversed(range(20))]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.permutations("abcde").map(lambda p: tuple(p[:3])), max_size=12), st.randoms(use_true_random=False))
def test_order_of_verdicts_does_not_matter_and_strengths_are_finite(rankings, chance):
    verdicts = [told(i, ranking) for i, ranking in enumerate(rankings)]
    mixed = verdicts[:] + verdicts[:1]
    chance.shuffle(mixed)
    rated = ratings(verdicts)
    assert ratings(mixed) == rated
    assert all(math.isfinite(r.low) and math.isfinite(r.high) for r in rated)
    assert sum(r.shown for r in rated) == 3 * len(rankings)
    assert sum(r.beaten for r in rated) == 3 * len(rankings)
    assert sum(r.first for r in rated) == len(rankings)


def test_two_poems_have_the_closed_form_solution():
    # With w wins of n and prior k, by symmetry gamma_a * gamma_b = 1; check the stationary point itself.
    rated = {r.id: r for r in ratings([told(i, ("a", "b")) for i in range(3)] + [told(9, ("b", "a"))])}
    a = rated["a"].strength
    assert math.isclose(a, -rated["b"].strength, abs_tol=1e-5)
    slope = 3 - 4 / (1 + math.exp(-2 * a)) + 0.5 - 1.0 / (1 + math.exp(-a))
    assert abs(slope) < 1e-5


def test_invalid_verdicts_rate_nobody():
    assert ratings([told(1, ("a", "b"), "invalid")]) == []


def test_the_standing_keeps_the_final_and_fills_up_by_strength():
    placed = (Place("b", "final", 1, 1), Place("c", "1", 2, 3), Place("a", "1", 3, 3))
    outcome = Outcome("c", ("b",), placed, ("d",), 2, 0)
    rated = ratings([told(1, ("a", "c", "b")), told(2, ("a", "c"))])
    assert standing(outcome, rated) == ["b", "a", "c"]
