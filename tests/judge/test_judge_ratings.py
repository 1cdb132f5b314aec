import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from poetune.judge.ratings import rated, ratings
from poetune.judge.simulated import SimulatedJudge
from poetune.ports import Block
from poetune.recipe import Simulated
from poetune.records import Verdict

TEXTS = {f"p{i:02}": f"poem {i:02}" for i in range(20)}


def told(number: int, ranking: tuple[str, ...], status: str = "ok") -> Verdict:
    shown = tuple(sorted(ranking))
    return Verdict(f"v{number}", "c", "j", "r", shown, ranking if status == "ok" else (), status)


def simulated(calls: int, **errs: float) -> list[Verdict]:
    judge = SimulatedJudge(Simulated(**errs), {key: int(key[1:]) / 4 for key in TEXTS})
    chance, out = random.Random(7), []
    for call in range(calls):
        shown = tuple(chance.sample(sorted(TEXTS), 8))
        ranking = judge.rank(Block(shown, ("",) * 8, tuple(TEXTS[k] for k in shown)), f"r{call}").ranking
        out.append(Verdict(f"v{call}", "c", "j", "r", shown, ranking, "ok" if ranking else "invalid"))
    return out


def test_a_perfect_judges_order_is_recovered() -> None:
    found = ratings(simulated(60, accuracy=1.0), TEXTS)
    assert [r.id for r in found] == sorted(TEXTS, reverse=True)
    assert [r.id for r in found if r.chance > 0.5] == sorted(TEXTS, reverse=True)[:5]


def test_intervals_hold_the_order_of_many_verdicts_and_are_wide_for_few() -> None:
    truth = {r.id: r.strength for r in ratings(simulated(2000), TEXTS, replicates=0)}
    few = ratings(simulated(12), TEXTS)
    many = {r.id: r for r in ratings(simulated(200), TEXTS)}
    assert sum(r.low <= truth[r.id] <= r.high for r in few) >= 16
    assert all(r.high - r.low > many[r.id].high - many[r.id].low for r in few)
    assert math.isclose(sum(r.chance for r in many.values()), 5, abs_tol=1e-9)


def test_a_liking_for_early_slots_is_found_and_none_where_there_is_none() -> None:
    _, biased = rated(simulated(150, slot_bias=0.5), TEXTS)
    _, fair = rated(simulated(150), TEXTS)
    assert biased is not None
    assert fair is not None
    assert biased.slot[2] < 0
    assert fair.slot[1] < 0 < fair.slot[2]


rows = st.lists(st.permutations("abcde").map(lambda p: tuple(p[:3])), max_size=12)


@settings(max_examples=30, deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_order_of_verdicts_does_not_matter_and_all_is_finite(rankings, chance) -> None:
    texts = {key: key for key in "abcde"}
    verdicts = [told(i, ranking) for i, ranking in enumerate(rankings)]
    mixed = verdicts[:] + verdicts[:1]
    chance.shuffle(mixed)
    found = ratings(verdicts, texts, replicates=20)
    assert ratings(mixed, texts, replicates=20) == found
    assert all(math.isfinite(r.low) and r.low <= r.high for r in found)
    assert sum(r.shown for r in found) == 3 * len(rankings)


def test_invalid_verdicts_and_strangers_rate_nobody() -> None:
    assert ratings([told(1, ("a", "b"), "invalid"), told(2, ("a", "z"))], {"a": "a", "b": "b"}) == []
