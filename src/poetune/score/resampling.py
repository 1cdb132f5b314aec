"""What a distance would be if the poet had written the sample: sets of equal size, drawn many times.

A distance between two finite samples is never zero, and the smaller they are the larger it is. So each draw parts the
poet's poems into some that are held out and the rest, and measures from the rest to the held-out ones and to as many
poems of every sample. Poems by the poet would come to the same mean; what lies above it is the sample's own.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from poetune.score.distances import Array

DRAWS = 200
MOST = 400  # poems of the poet that one draw measures from; more would cost time and change little
FEWEST = 5  # a sample of fewer poems is not measured, as it would make every draw small


@dataclass(frozen=True, slots=True)
class Drawn:
    """Means over the draws: the poet's own, the range that holds nine in ten of them, and one for each sample."""

    own: float | None
    band: tuple[float, float] | None
    samples: tuple[float | None, ...]


def draw_size(poet: int, samples: Sequence[int]) -> int:
    """Poems a draw takes of each: half of the poet's at most, and no more than any sample has that counts."""
    half = poet // 2
    return min([half, *(size for size in samples if size >= min(half, FEWEST))])


def ordered(texts: Sequence[str]) -> list[str]:
    """Texts by hash, so that a draw does not depend on the order in which they came."""
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())


def drawn(poet: Array, samples: Sequence[Array], size: int, distance: Callable[[Array, Array], float | None]) -> Drawn:
    """`distance` from the poet's poems to held-out ones and to each sample; a row of counts a poem, a fixed seed."""
    if size < 1:
        return Drawn(None, None, (None,) * len(samples))
    chance, others_chance = np.random.default_rng(0), [np.random.default_rng(0) for _ in samples]
    own: list[float] = []
    others: list[list[float]] = [[] for _ in samples]
    for _ in range(DRAWS):
        order = chance.permutation(len(poet))[: size + MOST]
        rest = poet[order[size:]].sum(0)
        _keep(own, distance(rest, poet[order[:size]].sum(0)))
        for sample, found, pick in zip(samples, others, others_chance, strict=True):
            if len(sample) >= size:
                _keep(found, distance(rest, sample[pick.permutation(len(sample))[:size]].sum(0)))
    own.sort()
    band = (own[len(own) // 20], own[-1 - len(own) // 20]) if own else None
    return Drawn(_mean(own), band, tuple(map(_mean, others)))


def _keep(found: list[float], value: float | None) -> None:
    if value is not None:
        found.append(value)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
