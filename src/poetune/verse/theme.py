"""Does a poem speak of its theme: whether it has the theme's words, and how often it would have other themes' too."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.verse.functionwords import CHINESE, ENGLISH
from poetune.verse.lines import language, units
from poetune.verse.shares import wilson

_ENDINGS = ("ing", "ies", "es", "ed", "ly", "s", "y", "e")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Of `poems`, how many have a word of their theme, and the mean share that have one of another poem's theme."""

    poems: int
    own: int
    chance: float

    @property
    def share(self) -> float | None:
        """Own over poems."""
        return self.own / self.poems if self.poems else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the share, at 95 %."""
        return wilson(self.own, self.poems)


def key_words(theme: str) -> frozenset[str]:
    """A theme's words without function words, as stems; Han characters where it is Chinese."""
    known = CHINESE if language(theme) == "zh" else ENGLISH
    found = [unit for unit in units(theme) if unit not in known] or units(theme)
    return frozenset(map(_stem, found))


def speaks(text: str, theme: str) -> bool:
    """Whether the text has a word of the theme, in any of its endings."""
    return not key_words(theme).isdisjoint(map(_stem, units(text)))


def spoken(texts: Sequence[str], themes: Sequence[str]) -> Spoken:
    """Texts and the themes they were asked for, in the same order; those without a theme do not count."""
    asked = [(text, theme) for text, theme in zip(texts, themes, strict=True) if theme.strip()]
    wanted = list(dict.fromkeys(theme for _, theme in asked))
    words = {theme: key_words(theme) for theme in wanted}
    own = 0
    chances = []
    for text, theme in asked:
        here = frozenset(map(_stem, units(text)))
        own += not words[theme].isdisjoint(here)
        others = [other for other in wanted if words[other].isdisjoint(words[theme])]
        if others:
            chances.append(sum(not words[other].isdisjoint(here) for other in others) / len(others))
    return Spoken(len(asked), own, sum(chances) / len(chances) if chances else 0.0)


def ranked(likeness: Sequence[Sequence[float]]) -> float | None:
    """From how like each poem (row) is to each theme (column; its own is that of its row's number): the mean share of
    other themes that it is less like than its own. 0.5 is chance, 1 the best. None below two themes."""
    shares = [
        sum((row[i] > other) + (row[i] == other) / 2 for j, other in enumerate(row) if j != i) / (len(row) - 1)
        for i, row in enumerate(likeness)
        if len(row) > 1
    ]
    return sum(shares) / len(shares) if shares else None


def _stem(word: str) -> str:
    """A word without its ending, at least three letters of it: a crude stem, the same on both sides."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
