"""Voice, as figures: how far poems stand from the poet's in shape, marks and words, and how varied they are."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from poetune.score.contents import VoiceRow, VoiceTable
from poetune.score.distances import Array, delta, divergence, wasserstein
from poetune.score.resampling import draw_size, drawn, ordered
from poetune.verse import tallies
from poetune.verse.diversity import distinct_at, windows
from poetune.verse.functionwords import function_words
from poetune.verse.lines import language
from poetune.verse.overlap import repetition

FEWEST_WINDOWS = 50
FEWEST_POEMS = 10  # of the poet: a draw of fewer than five poems says nothing
COMMON, DELTA_WORDS = 200, 150


@dataclass(frozen=True, slots=True)
class _Measure:
    """A figure, what it counts in a poem, and how two sums of counts are compared."""

    name: str
    meaning: str
    tally: Callable[[str], Mapping[Any, int]]
    by: str
    most: int = 0

    def rows(self, sets: Sequence[Sequence[str]]) -> tuple[list[Array], Callable[[Array, Array], float | None]]:
        """Counts of each set, (poems, values), and the distance; the poet is the first set."""
        counted = [[self.tally(text) for text in texts] for texts in sets]
        names = self._names(counted)
        tables = [_table_of(some, names, rest=self.by != "lengths") for some in counted]
        if self.by == "lengths":
            return tables, partial(wasserstein, np.array(names, float))
        return tables, partial(delta, _spread(tables[0])) if self.by == "delta" else divergence

    def _names(self, counted: Sequence[Sequence[Mapping[Any, int]]]) -> list[Any]:
        whole: Counter[Any] = Counter()
        for tally in counted[0] if self.by != "lengths" else (t for some in counted for t in some):
            whole.update(tally)
        if self.by == "lengths":
            return sorted(whole)
        return sorted(whole, key=lambda name: (-whole[name], str(name)))[: self.most or None]


def measures(unit: str) -> tuple[_Measure, ...]:
    """The distances of voice; `unit` is `words` or `characters`."""
    return (
        _Measure(
            "Burrows's Delta",
            f"How differently the poet's {DELTA_WORDS} commonest {unit} are used, each difference measured by how much "
            "the poet's own poems differ there.",
            tallies.words,
            "delta",
            DELTA_WORDS,
        ),
        _Measure(
            "function words",
            "How differently the small words are used that a hand repeats whatever its subject: 0 is alike, 1 shares "
            "nothing (Jensen-Shannon, bits).",
            function_words,
            "shares",
        ),
        _Measure(
            "vocabulary",
            f"How differently the poet's {COMMON} commonest {unit} are used: 0 is alike, 1 shares nothing "
            "(Jensen-Shannon, bits).",
            tallies.words,
            "shares",
            COMMON,
        ),
        _Measure(
            "punctuation",
            "How differently marks are set, and lines left without one: 0 is alike, 1 shares nothing "
            "(Jensen-Shannon, bits).",
            tallies.marks,
            "shares",
        ),
        _Measure(
            "line length",
            f"By how many {unit} a line's length has to change, on average, to give the poet's mix of lengths.",
            tallies.line_lengths,
            "lengths",
        ),
        _Measure(
            "stanza length",
            "By how many lines a stanza has to grow or shrink, on average, to give the poet's mix of stanzas.",
            tallies.stanza_lines,
            "lengths",
        ),
        _Measure(
            "lines per poem",
            "By how many lines a poem has to grow or shrink, on average, to give the poet's mix of sizes.",
            tallies.poem_lines,
            "lengths",
        ),
    )


def voice(poet: Iterable[str], samples: Mapping[str, Iterable[str]]) -> tuple[VoiceTable, ...]:
    """One table for each language the poet writes in: the poet, then each set of `samples` (label -> texts).

    A distance is a mean over draws of equal size; the poet's column holds what poems by the poet come to in the
    sample's place (see `resampling`). A line of a Chinese poem is a 句: what stands between two marks of punctuation.
    None stands where there is too little text; `said` is a sentence instead of the figures where the poet's poems in
    that language are fewer than FEWEST_POEMS.
    """
    own = _by_language(poet)
    others = {label: _by_language(texts) for label, texts in samples.items()}
    return tuple(
        _table(code, texts, {label: found.get(code, []) for label, found in others.items()})
        for code, texts in sorted(own.items(), key=lambda item: (-len(item[1]), item[0]))
        if code
    )


def _by_language(texts: Iterable[str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for text in texts:
        out.setdefault(language(text), []).append(text)
    return out


def _table_of(counted: Sequence[Mapping[Any, int]], names: Sequence[Any], rest: bool) -> Array:
    """A row of counts a poem; with `rest`, a last column for all that has no name."""
    at = {name: i for i, name in enumerate(names)}
    out = np.zeros((len(counted), len(names) + rest))
    for row, tally in zip(out, counted, strict=True):
        for name, count in tally.items():
            if name in at or rest:
                row[at.get(name, -1)] += count
    return out


def _spread(poems: Array) -> Array:
    """Standard deviation of each word's frequency over the poet's poems, longer poems weighing more."""
    sizes = poems.sum(1)
    if not sizes.sum():
        return np.zeros(poems.shape[1])
    shares = poems / np.where(sizes > 0, sizes, 1.0)[:, None]
    mean = poems.sum(0) / sizes.sum()
    spread: Array = np.sqrt(sizes @ (shares - mean) ** 2 / sizes.sum())
    return spread


def _mean_repetition(texts: Sequence[str]) -> float | None:
    return sum(map(repetition, texts)) / len(texts) if texts else None


def _table(code: str, poet: list[str], samples: Mapping[str, list[str]]) -> VoiceTable:
    sets = [ordered(texts) for texts in (poet, *samples.values())]
    counts = VoiceRow("poems", "How many poems the figures rest on.", "count", tuple(float(len(s)) for s in sets))
    columns = ("the poet", *samples)
    if len(poet) < FEWEST_POEMS:
        said = (
            f"The poet has {len(poet)} poems in this language, too few to say how far others stand from them; "
            f"from {FEWEST_POEMS} on there are figures."
        )
        return VoiceTable(code, columns, (counts,), said=said)
    unit = "characters" if code == "zh" else "words"
    size = draw_size(len(poet), [len(texts) for texts in sets[1:]])
    distances = []
    for measure in measures(unit):
        (own, *others), distance = measure.rows(sets)
        found = drawn(own, others, size, distance)
        distances.append(VoiceRow(measure.name, measure.meaning, "distance", (found.own, *found.samples), found.band))
    filled = [n for n in (len(windows(texts, 2)) for texts in sets) if n >= FEWEST_WINDOWS]
    pairs = min(filled, default=0)
    levels = (
        VoiceRow(
            "variety",
            f"Of {pairs:,} pairs of neighbouring {unit}, the share that are different pairs (distinct-2).",
            "level",
            tuple(distinct_at(texts, 2, pairs) for texts in sets),
        ),
        VoiceRow(
            "repetition",
            f"Share of runs of four {unit} that already stood earlier in the same poem: 0 is none, near 1 a loop.",
            "level",
            tuple(_mean_repetition(texts) for texts in sets),
        ),
    )
    return VoiceTable(code, columns, (counts, *distances, *levels), size)
