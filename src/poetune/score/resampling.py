"""What a distance would be if the poet had written the sample: sets of equal size, drawn many times.

A distance between two finite samples is never zero, and the smaller they are the larger it is. So each draw parts the
poet's poems into some that are held out and the rest, and measures from the rest to the held-out ones and to as many
poems of every sample. Poems by the poet would come to the same mean; what lies above it is the sample's own.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

DRAWS = 200
MOST = 400  # poems of the poet that one draw measures from; more would cost time and change little
FEWEST = 5  # a sample of fewer poems is not measured, as it would make every draw small

T = TypeVar("T", bound=float | str)


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


def drawn(
    poet: Sequence[Counter[T]],
    samples: Sequence[Sequence[Counter[T]]],
    size: int,
    distance: Callable[[Counter[T], Counter[T]], float | None],
) -> Drawn:
    """`distance` from the poet's poems to held-out ones and to each sample; one Counter a poem, a fixed seed."""
    if size < 1:
        return Drawn(None, None, (None,) * len(samples))
    chance, others_chance = random.Random(0), [random.Random(0) for _ in samples]  # noqa: S311
    own: list[float] = []
    others: list[list[float]] = [[] for _ in samples]
    for _ in range(DRAWS):
        order = chance.sample(poet, min(len(poet), size + MOST))
        rest = _sum(order[size:])
        _keep(own, distance(rest, _sum(order[:size])))
        for sample, found, pick in zip(samples, others, others_chance, strict=True):
            if len(sample) >= size:
                _keep(found, distance(rest, _sum(pick.sample(sample, size))))
    own.sort()
    band = (own[len(own) // 20], own[-1 - len(own) // 20]) if own else None
    return Drawn(_mean(own), band, tuple(map(_mean, others)))


def _sum(tallies: Sequence[Counter[T]]) -> Counter[T]:
    total: Counter[T] = Counter()
    for tally in tallies:
        total.update(tally)
    return total


def _keep(found: list[float], value: float | None) -> None:
    if value is not None:
        found.append(value)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
