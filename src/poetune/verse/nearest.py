"""The nearest of a set of texts: which poem another stands closest to in its words, and how close."""

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from poetune.verse.lines import units


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The key of the nearest text and the cosine of the sets of words and neighbouring pairs: 0 to 1 (the same)."""

    key: str
    likeness: float


class Neighbours:
    """Texts to be near to. A lookup costs what the texts have in common."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._holders: defaultdict[object, list[int]] = defaultdict(list)
        self._keys, self._sizes = list(texts), [0] * len(texts)
        for number, text in enumerate(texts.values()):
            found = features(text)
            self._sizes[number] = len(found)
            for feature in found:
                self._holders[feature].append(number)

    def nearest(self, text: str) -> Neighbour | None:
        """The nearest text, None where none shares a word."""
        shared: defaultdict[int, int] = defaultdict(int)
        found = features(text)
        for feature in found:
            for number in self._holders.get(feature, ()):
                shared[number] += 1
        if not shared:
            return None
        like = {n: count / math.sqrt(len(found) * self._sizes[n]) for n, count in shared.items()}
        best = min(like, key=lambda n: (-like[n], n))
        return Neighbour(self._keys[best], like[best])


def features(text: str) -> set[object]:
    """A text's different words and neighbouring pairs of words."""
    found = units(text)
    return {*found, *itertools.pairwise(found)}
