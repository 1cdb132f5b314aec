"""Self-BLEU: how well each text of a set is foretold by the others; higher is less varied (Zhu et al. 2018)."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence

from poetune.verse.lines import units

LONGEST = 4


def self_bleu(texts: Iterable[str], size: int = 50) -> float | None:
    """Mean BLEU-4 of each text against the others, over `size` texts chosen by hash: sets compare at one size only.

    Counts are smoothed by one from two units on (Lin and Och 2004). None where there are fewer texts with a unit.
    """
    found = [u for u in map(units, sorted(texts, key=lambda t: hashlib.sha256(t.encode()).digest())) if u][:size]
    if size < 2 or len(found) < size:
        return None
    tallies = [[_grams(u, n) for n in range(1, LONGEST + 1)] for u in found]
    tops = [_two_highest(tally[n] for tally in tallies) for n in range(LONGEST)]
    sizes = sorted(len(u) for u in found)
    return sum(_bleu(tally, len(u), tops, sizes) for tally, u in zip(tallies, found, strict=True)) / size


def _grams(found: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(found[i : i + n]) for i in range(len(found) - n + 1))


def _two_highest(tallies: Iterable[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], tuple[int, int]]:
    """The two highest counts of each run over all texts: the highest among the others is one of them."""
    out: dict[tuple[str, ...], tuple[int, int]] = {}
    for tally in tallies:
        for gram, count in tally.items():
            first, second = out.get(gram, (0, 0))
            out[gram] = (count, first) if count > first else (first, max(second, count))
    return out


def _bleu(
    tally: Sequence[Counter[tuple[str, ...]]],
    length: int,
    tops: Sequence[dict[tuple[str, ...], tuple[int, int]]],
    sizes: Sequence[int],
) -> float:
    logs = 0.0
    for n, (mine, top) in enumerate(zip(tally, tops, strict=True)):
        hits = 0
        for gram, count in mine.items():
            first, second = top[gram]
            hits += min(count, second if count == first else first)
        smooth = int(n > 0)
        if hits + smooth == 0:
            return 0.0
        logs += math.log((hits + smooth) / (mine.total() + smooth)) if mine.total() + smooth else 0.0
    others = list(sizes)
    others.remove(length)
    nearest = min(others, key=lambda size: (abs(size - length), size))
    return math.exp(min(0.0, 1 - nearest / length) + logs / LONGEST)
