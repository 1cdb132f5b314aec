"""Voice, as simple figures: how far poems stand from the poet's in shape and vocabulary, and how varied they are."""

import hashlib
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from poetune.score.contents import VoiceRow, VoiceTable
from poetune.verse.diversity import distinct_at, windows
from poetune.verse.lines import language, lines, units
from poetune.verse.overlap import repetition

COMMON = 200
FEWEST_WINDOWS = 50


def voice(poet: Iterable[str], samples: Mapping[str, Iterable[str]]) -> tuple[VoiceTable, ...]:
    """One table for each language the poet writes in: the poet, then each set of `samples` (label -> texts).

    For a distance, the poet's column holds one half of the poems against the other: the figure that a perfect match
    of this size would have. None stands where there is too little text.
    """
    own = _by_language(poet)
    others = {label: _by_language(texts) for label, texts in samples.items()}
    return tuple(
        _table(code, texts, {label: found.get(code, []) for label, found in others.items()})
        for code, texts in sorted(own.items(), key=lambda item: (-len(item[1]), item[0]))
        if code
    )


def wasserstein(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Wasserstein-1 between two samples: the area between their distribution functions, in the samples' unit."""
    if not a or not b:
        return None
    a, b = sorted(a), sorted(b)
    ends = sorted({*a, *b})
    return sum(
        abs(bisect_right(a, left) / len(a) - bisect_right(b, left) / len(b)) * (right - left)
        for left, right in pairwise(ends)
    )


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


def _by_language(texts: Iterable[str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for text in texts:
        out.setdefault(language(text), []).append(text)
    return out


def _halves(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    ordered = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
    return ordered[::2], ordered[1::2]


def _lengths(texts: Iterable[str]) -> list[float]:
    return [float(len(units(line))) for text in texts for line in lines(text)]


def _heights(texts: Iterable[str]) -> list[float]:
    return [float(len(lines(text))) for text in texts]


def _counts(texts: Iterable[str]) -> Counter[str]:
    return Counter(unit for text in texts for unit in units(text))


def _mean_repetition(texts: Sequence[str]) -> float | None:
    return sum(map(repetition, texts)) / len(texts) if texts else None


def _table(code: str, poet: list[str], samples: Mapping[str, list[str]]) -> VoiceTable:
    first, second = _halves(poet)
    against = [(first, second), *((poet, texts) for texts in samples.values())]
    sets = [poet, *samples.values()]
    filled = [n for n in (len(windows(texts, 2)) for texts in sets) if n >= FEWEST_WINDOWS]
    size = min(filled, default=0)
    unit = "characters" if code == "zh" else "words"
    rows = (
        VoiceRow("poems", "How many poems the figures rest on.", "count", tuple(float(len(texts)) for texts in sets)),
        VoiceRow(
            "line length",
            f"By how many {unit} a line's length has to change, on average, to give the poet's mix of lengths.",
            "distance",
            tuple(wasserstein(_lengths(a), _lengths(b)) for a, b in against),
        ),
        VoiceRow(
            "lines per poem",
            "By how many lines a poem has to grow or shrink, on average, to give the poet's mix of sizes.",
            "distance",
            tuple(wasserstein(_heights(a), _heights(b)) for a, b in against),
        ),
        VoiceRow(
            "vocabulary",
            f"How differently the poet's {COMMON} commonest {unit} are used: 0 is alike, 1 shares nothing "
            "(Jensen-Shannon, bits).",
            "distance",
            tuple(divergence(_counts(a), _counts(b)) for a, b in against),
        ),
        VoiceRow(
            "variety",
            f"Of {size:,} pairs of neighbouring {unit}, the share that are different pairs (distinct-2).",
            "level",
            tuple(distinct_at(texts, 2, size) for texts in sets),
        ),
        VoiceRow(
            "repetition",
            f"Share of runs of four {unit} that already stood earlier in the same poem: 0 is none, near 1 a loop.",
            "level",
            tuple(_mean_repetition(texts) for texts in sets),
        ),
    )
    return VoiceTable(code, ("the poet", *samples), rows)
