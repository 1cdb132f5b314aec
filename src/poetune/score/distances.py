"""Distances between counted samples. Each takes two rows of counts, a reference's and another's, over the same values.

None stands where one of the two holds nothing.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def wasserstein(values: Array, reference: Array, other: Array) -> float | None:
    """Wasserstein-1: the area between two distribution functions over the sorted `values`, in their unit."""
    if not reference.sum() or not other.sum():
        return None
    gaps = np.cumsum(reference / reference.sum() - other / other.sum())[:-1]
    return float(np.abs(gaps) @ np.diff(values))


def divergence(reference: Array, other: Array) -> float | None:
    """Jensen-Shannon divergence in bits: 0 is the same, 1 shares nothing."""
    if not reference.sum() or not other.sum():
        return None
    p, q = reference / reference.sum(), other / other.sum()
    middle = (p + q) / 2
    parts = (side[side > 0] @ np.log2(side[side > 0] / middle[side > 0]) for side in (p, q))
    return max(0.0, float(sum(parts)) / 2)


def delta(spread: Array, reference: Array, other: Array) -> float | None:
    """Burrows's Delta (2002): the mean difference of two samples' word frequencies, each in units of its `spread`.

    Words of no spread do not count; the last column is the rest of the text, which counts in the total alone.
    """
    if not reference.sum() or not other.sum():
        return None
    used = spread > 0
    gaps = np.abs(reference / reference.sum() - other / other.sum())[:-1][used[:-1]]
    return float((gaps / spread[:-1][used[:-1]]).mean()) if len(gaps) else None
