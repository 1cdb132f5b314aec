"""One strength per poem from all rankings: weak-prior Plackett-Luce by the MM algorithm (Hunter 2004), in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poetune.judge.tournament import Outcome
from poetune.records import Verdict

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]
NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Rating:
    """`strength` is log-odds against an average poem, with a 95 % interval; `beaten` poems ranked below, `first` times.

    Two poems with strengths a, b: the judge prefers the first with probability 1 / (1 + exp(b - a)).
    """

    id: str
    strength: float
    low: float
    high: float
    shown: int
    beaten: int
    first: int


def ratings(verdicts: Sequence[Verdict], prior: float = 0.5, tolerance: float = 1e-7) -> list[Rating]:
    """Ratings of all poems in valid verdicts, best first; the order of the verdicts does not matter.

    The prior is `prior` wins and as many losses of each poem against an imagined one of strength 0, which keeps
    strengths finite where a poem won or lost everything and joins blocks that share no poem. Intervals come from the
    observed information (curvature of the log-likelihood) at the maximum.
    """
    valid = {v.id: v.ranking for v in verdicts if v.status == "ok" and len(v.ranking) > 1}
    rankings = [valid[key] for key in sorted(valid)]
    ids = sorted({key for ranking in rankings for key in ranking})
    if not ids:
        return []
    at = {key: i for i, key in enumerate(ids)}
    groups = _by_length([[at[key] for key in ranking] for ranking in rankings])
    gamma = _maximise(groups, len(ids), prior, tolerance)
    strength = np.log(gamma)
    error = np.sqrt(np.diag(np.linalg.inv(_information(groups, gamma, prior)))) * NORMAL_95
    shown, beaten, first = (np.zeros(len(ids)) for _ in range(3))
    for order in groups:
        below = np.tile(np.arange(order.shape[1] - 1.0, -1, -1), len(order))
        shown += _sums(order, np.ones(order.size), len(ids))
        beaten += _sums(order, below, len(ids))
        first += _sums(order[:, 0], np.ones(len(order)), len(ids))
    found = [
        Rating(key, float(s), float(s - e), float(s + e), int(n), int(b), int(f))
        for key, s, e, n, b, f in zip(ids, strength, error, shown, beaten, first, strict=True)
    ]
    return sorted(found, key=lambda r: (-r.strength, r.id))


def standing(outcome: Outcome, rated: Sequence[Rating]) -> list[str]:
    """One order for a reader's queue: the final as ranked, then the other placed poems by strength.

    Unranked poems are left out; see `Outcome.unranked`.
    """
    strength = {rating.id: rating.strength for rating in rated}
    last = [place.id for place in outcome.placed if place.stage == "final"]
    rest = [place.id for place in outcome.placed if place.stage != "final"]
    return last + sorted(rest, key=lambda key: (-strength.get(key, 0.0), key))


def _by_length(rankings: Sequence[Sequence[int]]) -> list[Slots]:
    """Rankings as arrays (number, length) of indices, best first, one array for each length."""
    lengths = sorted({len(ranking) for ranking in rankings})
    return [np.array([r for r in rankings if len(r) == n], dtype=np.intp) for n in lengths]


def _maximise(groups: Sequence[Slots], count: int, prior: float, tolerance: float) -> Floats:
    """Strengths gamma (not logged) by MM: wins over the summed reciprocal of each choice's total."""
    wins: Floats = np.full(count, prior)
    for order in groups:
        wins += _sums(order[:, :-1], np.ones(order[:, :-1].size), count)
    gamma: Floats = np.ones(count)
    for _ in range(10_000):
        weight = 2 * prior / (gamma + 1)
        for order in groups:
            totals = _choice_totals(gamma[order])
            share = np.cumsum(1 / totals, axis=1)
            weight += _sums(order, np.concatenate([share, share[:, -1:]], axis=1), count)
        new = wins / weight
        moved = float(np.max(np.abs(np.log(new) - np.log(gamma))))
        gamma = new
        if moved < tolerance:
            break
    return gamma


def _choice_totals(gamma: Floats) -> Floats:
    """Summed strength of what was left at each choice but the last, which is none."""
    totals: Any = np.cumsum(gamma[:, ::-1], axis=1)[:, ::-1][:, :-1]
    return np.asarray(totals, dtype=np.float64)


def _information(groups: Sequence[Slots], gamma: Floats, prior: float) -> Floats:
    """Negative Hessian of the log-posterior in log strengths: sum over choices of diag(p) - p p'."""
    count = len(gamma)
    against = gamma / (gamma + 1)
    diagonal = 2 * prior * against * (1 - against)
    between: Floats = np.zeros(count * count)
    for order in groups:
        values = gamma[order]
        totals = _choice_totals(values)
        for choice in range(order.shape[1] - 1):
            left = order[:, choice:]
            p = values[:, choice:] / totals[:, choice : choice + 1]
            diagonal = diagonal + _sums(left, p, count)
            pairs = left[:, :, None] * count + left[:, None, :]
            between += _sums(pairs, p[:, :, None] * p[:, None, :], count * count)
    return np.asarray(np.diag(diagonal) - between.reshape(count, count), dtype=np.float64)


def _sums(at: Slots, values: Floats, count: int) -> Floats:
    """`values` summed by the index at which each stands."""
    return np.asarray(np.bincount(at.ravel(), weights=values.ravel(), minlength=count), dtype=np.float64)
