"""One strength per poem from all rankings, with intervals and the chance of being among the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from poetune.judge.plackett import Floats
from poetune.judge.scale import COLUMNS, Scale
from poetune.records import Verdict

REPLICATES = 200


@dataclass(frozen=True, slots=True)
class Rating:
    """`strength` is log-odds against an average poem, freed of slot and length, with a 95 % bootstrap interval.

    Two poems with strengths a, b, alike in length and slot: the first is preferred with probability 1 / (1 + exp(b -
    a)). `chance` is that of being among the best k, `shown` counts readable showings.
    """

    id: str
    strength: float
    low: float
    high: float
    chance: float
    shown: int


@dataclass(frozen=True, slots=True)
class Effects:
    """What slot and length are worth to the judge in log-odds, with 95 % intervals.

    The last slot against the first, the edges against the middle, a poem longer by one standard deviation.
    """

    slot: tuple[float, float, float]
    edges: tuple[float, float, float]
    length: tuple[float, float, float]


def ratings(
    verdicts: Sequence[Verdict], texts: Mapping[str, str], best: int = 5, replicates: int = REPLICATES, seed: int = 0
) -> list[Rating]:
    """Ratings of all poems in valid verdicts, best first; the order of the verdicts does not matter."""
    return rated(verdicts, texts, best, replicates, seed)[0]


def rated(
    verdicts: Sequence[Verdict], texts: Mapping[str, str], best: int = 5, replicates: int = REPLICATES, seed: int = 0
) -> tuple[list[Rating], Effects | None]:
    """Ratings, and the judge's liking for slots and length; None without a valid verdict or without replicates.

    `texts` holds the poems that were to be judged. Verdicts that show another poem are left out.
    """
    valid = {v.id: v for v in verdicts if v.status == "ok" and len(v.ranking) > 1 and set(v.ranking) <= texts.keys()}
    told = [(valid[key].shown, valid[key].ranking) for key in sorted(valid)]
    if not told:
        return [], None
    scale = Scale(texts)
    rankings = scale.rankings(told)
    peak = scale.peak(rankings)
    shown = np.bincount(rankings.at.ravel(), rankings.shown.ravel(), len(scale.ids))
    low = high = chance = np.zeros(len(scale.ids))
    effects = None
    if replicates:
        drawn = scale.resampled(rankings, peak, replicates, seed)
        low, high = np.quantile(drawn.strength, (0.025, 0.975), axis=0)
        chance = _among_best(drawn.strength, best)
        bounds = np.quantile(drawn.effect, (0.025, 0.975), axis=0)
        named = {
            name: (float(peak[len(scale.ids) + i]), float(bounds[0, i]), float(bounds[1, i]))
            for i, name in enumerate(COLUMNS)
        }
        effects = Effects(**named)
    found = [
        Rating(key, float(s), float(lo), float(hi), float(c), int(n))
        for key, s, lo, hi, c, n in zip(scale.ids, peak, low, high, chance, shown, strict=False)
        if n
    ]
    return sorted(found, key=lambda r: (-round(r.strength, 6), r.id)), effects


def _among_best(strength: Floats, best: int) -> Floats:
    """How often each poem is among the best, over the replicates."""
    first = np.argsort(-strength, axis=1)[:, :best]
    return np.bincount(first.ravel(), minlength=strength.shape[1]) / len(strength)
