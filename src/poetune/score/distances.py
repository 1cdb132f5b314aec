"""Distances between counted samples: of lengths by Wasserstein-1, of vocabularies by Jensen-Shannon."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

COMMON = 200


def wasserstein(a: Iterable[float], b: Iterable[float]) -> float | None:
    """Wasserstein-1 between two samples: the area between their distribution functions, in the samples' unit.

    A Counter is a sample too.
    """
    first, second = Counter(a), Counter(b)
    if not first or not second:
        return None
    sizes, below, area = (first.total(), second.total()), (0, 0), 0.0
    for left, right in pairwise(sorted({*first, *second})):
        below = (below[0] + first[left], below[1] + second[left])
        area += abs(below[0] / sizes[0] - below[1] / sizes[1]) * (right - left)
    return area


def divergence(reference: Counter[str], other: Counter[str], common: int = COMMON) -> float | None:
    """Jensen-Shannon divergence in bits (0 same, 1 nothing shared) over the reference's `common` units and the rest."""
    if not reference or not other:
        return None
    names = [name for name, _ in sorted(reference.items(), key=lambda item: (-item[1], item[0]))[:common]]
    p, q = _shares(reference, names), _shares(other, names)
    return sum(_half(x, (x + y) / 2) + _half(y, (x + y) / 2) for x, y in zip(p, q, strict=True)) / 2


def _shares(counts: Counter[str], names: Sequence[str]) -> list[float]:
    total = counts.total()
    known = [counts[name] / total for name in names]
    return [*known, max(0.0, 1 - math.fsum(known))]


def _half(share: float, mean: float) -> float:
    return share * math.log2(share / mean) if share > 0 else 0.0
