"""How varied texts are, at an equal amount of text: most such figures fall as samples grow, so only equals compare."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from poetune.verse.lines import clauses, line_key, units
from poetune.verse.nearest import features


def windows(texts: Iterable[str], n: int) -> list[tuple[str, ...]]:
    """All n-unit windows, none across two texts; texts in an order of their own hashes, so that neighbours mix."""
    ordered = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
    return [tuple(u[i : i + n]) for u in map(units, ordered) for i in range(len(u) - n + 1)]


def distinct_at(texts: Iterable[str], n: int, size: int) -> float | None:
    """Mean distinct-n over consecutive stretches of `size` windows; None where the texts do not fill one."""
    found = windows(texts, n)
    if size < 1 or len(found) < size:
        return None
    shares = [len(set(found[i : i + size])) / size for i in range(0, len(found) - size + 1, size)]
    return sum(shares) / len(shares)


def spread(texts: Iterable[str]) -> float | None:
    """Mean distance of all pairs of texts, 0 (the same words) to 1 (no word shared); None below two texts.

    The distance is one minus the cosine of the sets of units and neighbouring pairs (Ochiai 1957). Of any number of
    texts the mean follows from the length of the sum of their unit vectors, so no pair is ever looked at.
    """
    total: defaultdict[object, float] = defaultdict(float)
    count = 0
    for text in texts:
        found = features(text)
        for feature in found:
            total[feature] += 1 / math.sqrt(len(found))
        count += bool(found)
    if count < 2:
        return None
    squared = math.fsum(value * value for value in total.values())
    return min(1.0, max(0.0, 1 - (squared - count) / (count * (count - 1))))


def spread_within(groups: Mapping[str, Sequence[str]]) -> float | None:
    """Mean `spread` inside groups (the poems of a theme), each group counted once; None where none has two texts."""
    found = [value for texts in groups.values() if (value := spread(texts)) is not None]
    return math.fsum(found) / len(found) if found else None


def opening(text: str, most: int = 0) -> str:
    """A poem's first line (first 句 in Chinese) as it is compared; with `most`, its first units only."""
    first = next((key for key in map(line_key, clauses(text)) if key), "")
    return " ".join(first.split()[:most] if most else first.split())


def openings_at(texts: Iterable[str], size: int, most: int = 0) -> float | None:
    """Expected share of different openings among `size` of the texts; None where there are fewer.

    By rarefaction (Hurlbert 1971): exact over all choices of `size` texts, so nothing is drawn.
    """
    found = Counter(key for key in (opening(text, most) for text in texts) if key)
    total = found.total()
    if size < 1 or total < size:
        return None
    return sum(1 - _none_of(total, count, size) for count in found.values()) / size


def _none_of(total: int, count: int, size: int) -> float:
    """The chance that `size` of `total` draws, none put back, miss all of `count`."""
    if count > total - size:
        return 0.0
    logs = (math.lgamma(total - count + 1), -math.lgamma(total - count - size + 1))
    return math.exp(math.fsum((*logs, math.lgamma(total - size + 1), -math.lgamma(total + 1))))
