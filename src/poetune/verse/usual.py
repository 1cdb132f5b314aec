"""What is usual in a corpus, language by language: lengths of lines and poems, repetition, and characters."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from poetune.verse.lines import language, lines, units
from poetune.verse.overlap import repetition


@dataclass(frozen=True, slots=True)
class Usual:
    """Ranges hold the middle 90 % of what the corpus has: units to a line, lines to a poem; `loop` its 90 % mark."""

    line: tuple[int, int]
    poem: tuple[int, int]
    loop: float
    characters: frozenset[str] = field(repr=False)
    scripts: frozenset[str]


def usual(texts: Iterable[str]) -> dict[str, Usual]:
    """What is usual among the texts of each language (`en`, `zh`) that the corpus has."""
    by_language: dict[str, list[str]] = {}
    for text in texts:
        by_language.setdefault(language(text), []).append(text)
    return {name: _usual(found) for name, found in by_language.items() if name}


def loops(text: str) -> float:
    """Share of a text that says itself again: 4-unit windows, whole lines or lines' first two units, the most: 0..1."""
    found = [units(line) for line in lines(text)]
    whole, openings = ([tuple(line[:n]) for line in found] for n in (None, 2))
    return max(repetition(text), *(1 - len(set(each)) / len(each) if each else 0.0 for each in (whole, openings)))


def foreign(text: str, like: Usual) -> float:
    """Share of a text's visible characters that its language's corpus neither has nor could have: 0..1.

    Letters of other scripts, digits and symbols the corpus lacks, control and replacement characters.
    """
    seen = [c for c in text if not c.isspace()]
    return sum(_strange(c, like) for c in seen) / len(seen) if seen else 1.0


def _usual(texts: Sequence[str]) -> Usual:
    line_units = [len(units(line)) for text in texts for line in lines(text)]
    characters = frozenset("".join(texts))
    return Usual(
        line=(quantile(line_units, 0.05), quantile(line_units, 0.95)),
        poem=(quantile([len(lines(t)) for t in texts], 0.05), quantile([len(lines(t)) for t in texts], 0.95)),
        loop=sorted(loops(t) for t in texts)[int(0.9 * (len(texts) - 1))],
        characters=characters - {"\ufffd"},
        scripts=frozenset({"LATIN"} if language("".join(texts)) == "en" else {"CJK"}),
    )


def quantile(values: Sequence[int], share: float) -> int:
    """The value at `share` of the sorted values, the nearest that occurs."""
    return sorted(values)[round(share * (len(values) - 1))]


def _strange(character: str, like: Usual) -> bool:
    if character in like.characters:
        return False
    kind = unicodedata.category(character)
    if kind[0] == "L":
        return unicodedata.name(character, "").split(" ")[0] not in like.scripts
    return kind[0] in "CSN" and character != "\u200d"
