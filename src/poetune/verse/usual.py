"""What is usual in a corpus, language by language: lines and poems, repetition, characters and words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from poetune.verse.lines import language, lines, units
from poetune.verse.overlap import repetition

V = TypeVar("V", int, float)
_COMMON = 150  # so many words make up half of any poem in their language
_ENOUGH = 20  # poems under which hardly any word is common
_FEW = 4  # lines or words under which shares say nothing
_HABIT = 0.3  # a mark under this is no habit of the corpus
_INNER = re.compile(r"[.!?。！？…][\"'”’）)]*[^\S\n]*(?=\w)")
_END = re.compile(r"[^\w\s][\"'”’）)]*\s*$")


@dataclass(frozen=True, slots=True)
class Usual:
    """Ranges hold the middle 90 % of what the corpus has: units to a line, lines to a poem; `loop` its 90 % mark.

    `longest` is the 99 % mark of line lengths; `ends` and `capitals` are the 5 % marks of the share of a poem's lines
    that end in punctuation or begin with a capital; `known` is the 1 % mark of the share of its units in `common`.
    """

    line: tuple[int, int]
    poem: tuple[int, int]
    loop: float
    characters: frozenset[str] = field(repr=False)
    scripts: frozenset[str]
    longest: int = 0
    ends: float = 0.0
    capitals: float = 0.0
    common: frozenset[str] = field(default=frozenset(), repr=False)
    known: float = 0.0


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


def strange_words(text: str, like: Usual) -> bool:
    """Whether a text in letters hardly uses the corpus's commonest words, as another language would not."""
    found = units(text)
    return len(found) >= _FEW and _known(found, like.common) < like.known / 2


def prose(text: str, like: Usual) -> float:
    """How far a text has drifted into prose, 0..1: the share of its words in lines longer than the corpus's, or, where
    sentences end within lines, how much fewer lines end in punctuation and begin with a capital than in any poem."""
    found = lines(text)
    counts = [len(units(line)) for line in found]
    most = max(like.longest, round(1.5 * like.line[1]))
    overlong = sum(n for n in counts if n > most) / max(1, sum(counts))
    if len(found) < _FEW or not any(_INNER.search(line) for line in found):
        return overlong
    shares = [(_ends(found), like.ends), (_capitals(found), like.capitals)]
    missing = [1 - min(1.0, share / mark) for share, mark in shares if mark >= _HABIT]
    return max(overlong, sum(missing) / len(missing) if missing else 0.0)


def _usual(texts: Sequence[str]) -> Usual:
    by_line = [lines(text) for text in texts]
    line_units = [len(units(line)) for poem in by_line for line in poem]
    words = [units(text) for text in texts]
    characters = frozenset("".join(texts))
    common = frozenset(unit for unit, _ in Counter(unit for poem in words for unit in poem).most_common(_COMMON))
    return Usual(
        line=(quantile(line_units, 0.05), quantile(line_units, 0.95)),
        poem=(quantile([len(poem) for poem in by_line], 0.05), quantile([len(poem) for poem in by_line], 0.95)),
        loop=sorted(loops(t) for t in texts)[int(0.9 * (len(texts) - 1))],
        characters=characters - {"\ufffd"},
        scripts=frozenset({"LATIN"} if language("".join(texts)) == "en" else {"CJK"}),
        longest=quantile(line_units, 0.99),
        ends=quantile([_ends(poem) for poem in by_line], 0.05),
        capitals=quantile([_capitals(poem) for poem in by_line], 0.05),
        common=common,
        known=quantile([_known(poem, common) for poem in words], 0.01) if len(texts) >= _ENOUGH else 0.0,
    )


def _ends(found: Sequence[str]) -> float:
    return sum(bool(_END.search(line)) for line in found) / len(found) if found else 0.0


def _capitals(found: Sequence[str]) -> float:
    return sum(line[:1].isupper() for line in found) / len(found) if found else 0.0


def _known(words: Sequence[str], common: frozenset[str]) -> float:
    return sum(word in common for word in words) / len(words) if words else 0.0


def quantile(values: Sequence[V], share: float) -> V:
    """The value at `share` of the sorted values, the nearest that occurs."""
    return sorted(values)[round(share * (len(values) - 1))]


def _strange(character: str, like: Usual) -> bool:
    if character in like.characters:
        return False
    kind = unicodedata.category(character)
    if kind[0] == "L":
        return unicodedata.name(character, "").split(" ")[0] not in like.scripts
    return kind[0] in "CSN" and character != "\u200d"
