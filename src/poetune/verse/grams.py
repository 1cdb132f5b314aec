"""Runs of words that stand in other texts, also where the line breaks fall elsewhere: an index of 5-grams."""

from collections.abc import Mapping
from dataclasses import dataclass

from poetune.verse.lines import lines, units


@dataclass(frozen=True, slots=True)
class Run:
    """Units in a row that stand in a source just so: as compared, the source's id, and its line in which they begin."""

    text: str
    source: str
    original: str
    units: int


class GramIndex:
    """Every window of `n` units of a set of texts. A unit is a word or a Han character; windows run over line ends.

    About 100 bytes a window; the texts themselves are kept.
    """

    def __init__(self, texts: Mapping[str, str], n: int = 5) -> None:
        self.n = n
        self._texts = list(texts.items())
        self._where: dict[int, tuple[int, int]] = {}
        for number, (_, text) in enumerate(self._texts):
            for at, window in enumerate(self._windows(units(text))):
                self._where.setdefault(window, (number, at))

    def _windows(self, found: list[str]) -> list[int]:
        return [hash(tuple(found[i : i + self.n])) for i in range(len(found) - self.n + 1)]

    def share(self, text: str) -> float:
        """Share of the text's windows that stand in the index: 0 for nothing copied, 1 for everything."""
        windows = self._windows(units(text))
        return sum(window in self._where for window in windows) / len(windows) if windows else 0.0

    def runs(self, text: str) -> list[Run]:
        """The copied passages of a text, the longest first; each is followed in its source as far as it goes."""
        found, at = units(text), 0
        runs: list[Run] = []
        windows = self._windows(found)
        while at < len(windows):
            place = self._where.get(windows[at])
            if place is None:
                at += 1
                continue
            number, start = place
            key, source = self._texts[number]
            theirs = units(source)
            length = 0
            while at + length < len(found) and theirs[start + length : start + length + 1] == [found[at + length]]:
                length += 1
            if length >= self.n:
                runs.append(Run(" ".join(found[at : at + length]), key, _line_at(source, start), length))
            at += max(1, length - self.n + 1)
        return sorted(runs, key=lambda run: -run.units)


def _line_at(text: str, unit: int) -> str:
    """The line of a text that its unit number `unit` stands in."""
    for line in lines(text):
        count = len(units(line))
        if unit < count:
            return line
        unit -= count
    return ""
