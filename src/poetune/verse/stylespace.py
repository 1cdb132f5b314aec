"""Poems as points of style: words, runs of two to four characters, and the shape and punctuation of their lines.

Each of the three parts has about length 1, so that none drowns the others. Needs numpy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from poetune.verse.lines import lines, stanzas, units

Array = NDArray[np.float64]
Codes = NDArray[np.uint64]

LONGEST = 1200  # characters of a poem that are looked at: what a model writes is no longer
_PARTS: tuple[tuple[Callable[[str], Codes], int], ...]
_MARKS = ("—–-", ",，、", ";；", ":：", ".。", "!！", "?？", '"“”「」', "'’‘", "(（", "&", "…")


@dataclass(frozen=True, slots=True)
class _Part:
    """The features of one part that are kept, as sorted codes, with the weight of each."""

    codes: Codes
    weights: Array

    def of(self, found: Sequence[tuple[Codes, NDArray[np.int64]]]) -> Array:
        """Rows of length 1 over the kept features; counts by their logarithm, rare features more."""
        out = np.zeros((len(found), len(self.codes)))
        for row, (codes, counts) in zip(out, found if len(self.codes) else [], strict=False):
            at = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
            there = self.codes[at] == codes
            row[at[there]] = (1 + np.log(counts[there])) * self.weights[at[there]]
        length = np.linalg.norm(out, axis=1, keepdims=True)
        return out / np.where(length > 0, length, 1.0)


class StyleSpace:
    """The space that a set of poems spans; `of` puts any texts into it, (texts, features)."""

    def __init__(self, texts: Sequence[str], words: int = 4000, characters: int = 12_000) -> None:
        self._parts = [
            (count, _kept([count(start(text)) for text in texts], most))
            for count, most in ((_words, words), (_grams, characters))
        ]
        shapes = np.array([_shape(start(text)) for text in texts])
        self._mean, self._spread = shapes.mean(0), shapes.std(0)

    def of(self, texts: Sequence[str]) -> Array:
        """The points of the texts."""
        cut = [start(text) for text in texts]
        shapes = (np.array([_shape(text) for text in cut]).reshape(-1, len(self._mean)) - self._mean).clip(-9e9, 9e9)
        level = np.where(self._spread > 1e-9, shapes / np.where(self._spread > 1e-9, self._spread, 1.0), 0.0)
        parts = [part.of([count(text) for text in cut]) for count, part in self._parts]
        return np.hstack([*parts, level.clip(-3, 3) / np.sqrt(len(self._mean))])


def start(text: str, most: int = LONGEST) -> str:
    """A long poem up to the last line that fits into `most` characters."""
    if len(text) <= most:
        return text
    cut = text.rfind("\n", 0, most)
    return text[: cut if cut > most // 2 else most]


def _counted(codes: Codes) -> tuple[Codes, NDArray[np.int64]]:
    found, counts = np.unique(codes, return_counts=True)
    return found, counts.astype(np.int64)


def _words(text: str) -> tuple[Codes, NDArray[np.int64]]:
    return _counted(np.array([crc32(unit.encode()) for unit in units(text)], np.uint64))


def _grams(text: str) -> tuple[Codes, NDArray[np.int64]]:
    """Runs of 2, 3 and 4 characters, each packed into one 64-bit code; line breaks are characters."""
    spaced = "\n".join(" ".join(line.split()) for line in f"\n{text}\n".split("\n"))
    points = np.array([min(ord(c), 0xFFFF) for c in spaced], np.uint64)
    out, run = [], points
    for _ in range(3):
        run = (run[:-1] << np.uint64(16)) | points[len(points) - len(run) + 1 :]
        out.append(run)
    return _counted(np.concatenate(out))


def _kept(found: Sequence[tuple[Codes, NDArray[np.int64]]], most: int) -> _Part:
    """The `most` features that stand in most texts, and in two at least, weighted by inverse document frequency."""
    codes, texts = _counted(np.concatenate([each for each, _ in found]) if found else np.zeros(0, np.uint64))
    order = np.lexsort((codes, -texts))
    order = np.sort(order[texts[order] >= min(2, len(found))][:most])
    return _Part(codes[order], np.log((1 + len(found)) / (1 + texts[order])) + 1)


def _shape(text: str) -> list[float]:
    """Line and stanza shape, capitals and punctuation, as figures that do not grow with the poem."""
    printed, groups = lines(text) or [""], stanzas(text) or [[""]]
    count, words = len(printed), max(1, len(units(text)))
    in_units, in_characters = [len(units(line)) for line in printed], [len(line) for line in printed]
    sizes = [len(group) for group in groups]
    inner = sum(word[:1].isupper() for line in printed for word in line.split()[1:])
    ends = [line[-1:] for line in printed]
    return [
        *(float(f(sample)) for sample in (in_units, in_characters) for f in (np.mean, np.std)),
        *(float(np.log1p(f(sizes))) for f in (np.mean, np.std)),
        sum(line[:1].isupper() for line in printed) / count,
        inner / words,
        sum(len(unit) for unit in units(text)) / words,
        *(sum(map(text.count, marks)) / count for marks in _MARKS),
        *(sum(end in marks for end in ends if end) / count for marks in _MARKS[:7]),
    ]
