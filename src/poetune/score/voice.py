"""Voice, as simple figures: how far poems stand from the poet's in shape and vocabulary, and how varied they are."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from poetune.score.contents import VoiceRow, VoiceTable
from poetune.score.distances import COMMON, divergence, wasserstein
from poetune.score.resampling import T, draw_size, drawn, ordered
from poetune.verse.diversity import distinct_at, windows
from poetune.verse.lines import clauses, language, units
from poetune.verse.overlap import repetition

FEWEST_WINDOWS = 50


def voice(poet: Iterable[str], samples: Mapping[str, Iterable[str]]) -> tuple[VoiceTable, ...]:
    """One table for each language the poet writes in: the poet, then each set of `samples` (label -> texts).

    A distance is a mean over draws of equal size; the poet's column holds what poems by the poet come to in the
    sample's place (see `resampling`). A line of a Chinese poem is a 句: what stands between two marks of punctuation.
    None stands where there is too little text.
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


def _lengths(text: str) -> Counter[float]:
    return Counter(float(len(units(line))) for line in clauses(text))


def _height(text: str) -> Counter[float]:
    return Counter([float(len(clauses(text)))])


def _words(text: str) -> Counter[str]:
    return Counter(units(text))


def _mean_repetition(texts: Sequence[str]) -> float | None:
    return sum(map(repetition, texts)) / len(texts) if texts else None


def _table(code: str, poet: list[str], samples: Mapping[str, list[str]]) -> VoiceTable:
    sets = [ordered(texts) for texts in (poet, *samples.values())]
    own, *others = sets
    size = draw_size(len(own), [len(texts) for texts in others])
    unit = "characters" if code == "zh" else "words"

    def distance(
        name: str, meaning: str, tally: Callable[[str], Counter[T]], by: Callable[..., float | None]
    ) -> VoiceRow:
        found = drawn([tally(t) for t in own], [[tally(t) for t in texts] for texts in others], size, by)
        return VoiceRow(name, meaning, "distance", (found.own, *found.samples), found.band)

    filled = [n for n in (len(windows(texts, 2)) for texts in sets) if n >= FEWEST_WINDOWS]
    pairs = min(filled, default=0)
    rows = (
        VoiceRow("poems", "How many poems the figures rest on.", "count", tuple(float(len(texts)) for texts in sets)),
        distance(
            "line length",
            f"By how many {unit} a line's length has to change, on average, to give the poet's mix of lengths.",
            _lengths,
            wasserstein,
        ),
        distance(
            "lines per poem",
            "By how many lines a poem has to grow or shrink, on average, to give the poet's mix of sizes.",
            _height,
            wasserstein,
        ),
        distance(
            "vocabulary",
            f"How differently the poet's {COMMON} commonest {unit} are used: 0 is alike, 1 shares nothing "
            "(Jensen-Shannon, bits).",
            _words,
            divergence,
        ),
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
    return VoiceTable(code, ("the poet", *samples), rows, size)
