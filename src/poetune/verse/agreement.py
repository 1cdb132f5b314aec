"""How far several readings of the same things agree, beyond chance: Krippendorff's alpha (2004)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal

Level = Literal["nominal", "ordinal", "interval"]


def alpha(readings: Iterable[Sequence[float]], level: Level = "ordinal") -> float | None:
    """1 is perfect, 0 what chance gives, below 0 is worse. Each item of `readings` holds one thing's values.

    Things that were read once do not count. None where fewer than two things were read twice, or all values are equal.
    """
    twice = [list(values) for values in readings if len(values) > 1]
    counts = Counter(value for values in twice for value in values)
    if len(twice) < 2 or len(counts) < 2:
        return None
    names, total = sorted(counts), counts.total()
    apart = _distances(names, [counts[name] for name in names], level)
    seen = sum(_within(values, apart) for values in twice)
    chance = sum(counts[a] * counts[b] * apart[a, b] for a in names for b in names) / (total - 1)
    return 1 - seen / chance


def _within(values: Sequence[float], apart: dict[tuple[float, float], float]) -> float:
    """Distances of all ordered pairs inside one thing, over its readings less one."""
    return sum(apart[a, b] for a in values for b in values) / (len(values) - 1)


def _distances(names: Sequence[float], counts: Sequence[int], level: Level) -> dict[tuple[float, float], float]:
    """Squared distances of values; ordinal ones count what lies between, half of the ends."""
    if level == "nominal":
        return {(a, b): float(a != b) for a in names for b in names}
    if level == "interval":
        return {(a, b): (a - b) ** 2 for a in names for b in names}
    middle = [whole - count / 2 for whole, count in zip(accumulate(counts), counts, strict=True)]
    at = dict(zip(names, middle, strict=True))
    return {(a, b): (at[a] - at[b]) ** 2 for a in names for b in names}
