"""Which of several poets wrote this? A linear classifier over style, its probabilities calibrated on held-out poems."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from poetune.errors import CorpusError
from poetune.verse.ridge import Fitted, fitted
from poetune.verse.stylespace import Array, StyleSpace

FEWEST = 10  # poems of a poet below which nothing is said of them
MOST = 400  # poems of a poet that are learned from, chosen by hash
_BINS = 10


@dataclass(frozen=True, slots=True)
class Attribution:
    """The likeliest poet of one text, and the probability of each poet, in the classifier's order."""

    author: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """How often the classifier named the right poet of poems that it had not learned from.

    `confusion[i][j]` counts poems of poet i that were called poet j's; `calibration` is the expected calibration error
    (how far stated probabilities lie from hit rates, 0..1).
    """

    confusion: tuple[tuple[int, ...], ...]
    calibration: float

    @property
    def poems(self) -> int:
        """How many poems were tried."""
        return sum(map(sum, self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of poems whose poet was named."""
        return sum(row[i] for i, row in enumerate(self.confusion)) / self.poems


class Authors:
    """Poets told apart. `tested` leaves every poem out once: it is tried by what the others teach."""

    def __init__(self, poems: Mapping[str, Sequence[str]]) -> None:
        """Learn from each poet's poems; poets with fewer than FEWEST are in `left_out`.

        Raises CorpusError where fewer than two poets remain.
        """
        self.left_out = tuple(name for name, texts in poems.items() if len(texts) < FEWEST)
        self.names = tuple(sorted(set(poems) - set(self.left_out)))
        if len(self.names) < 2:
            raise CorpusError(
                f"telling poets apart needs two with at least {FEWEST} poems each, and the corpus has "
                f"{len(self.names)}; add another poet's poems with `poetune corpus`, each with its author."
            )
        texts = [(chosen(poems[name]), index) for index, name in enumerate(self.names)]
        flat = [text for some, _ in texts for text in some]
        right = np.array([index for some, index in texts for _ in some])
        self._space = StyleSpace(flat)
        targets = np.full((len(flat), len(self.names)), -1 / (len(self.names) - 1))
        targets[np.arange(len(flat)), right] = 1.0
        self._map: Fitted = fitted(self._space.of(flat), targets)
        self._sharpness = _sharpness(self._map.held_out, right)
        self.tested = _tested(_softmax(self._map.held_out * self._sharpness), right)

    def attribute(self, texts: Sequence[str]) -> list[Attribution]:
        """The likeliest poet of each text; probabilities are among these poets only, whoever wrote it."""
        if not texts:
            return []
        shares = _softmax(self._map.of(self._space.of(texts)) * self._sharpness)
        return [Attribution(self.names[int(row.argmax())], tuple(float(p) for p in row)) for row in shares]


def chosen(texts: Sequence[str]) -> list[str]:
    """At most MOST different texts, by hash, so that the choice does not depend on their order."""
    return sorted(set(texts), key=lambda text: hashlib.sha256(text.encode()).digest())[:MOST]


def _softmax(values: Array) -> Array:
    powers = np.exp(values - values.max(1, keepdims=True))
    shares: Array = powers / powers.sum(1, keepdims=True)
    return shares


def _sharpness(values: Array, right: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> float:
    """The factor before the softmax that makes held-out poems likeliest (temperature scaling, Guo et al. 2017)."""
    rows = np.arange(len(right))

    def nats(power: float) -> float:
        return float(-np.log(_softmax(values * np.exp(power))[rows, right].clip(1e-12)).mean())

    grid = np.linspace(-1.0, 5.0, 61)
    return float(np.exp(min(grid, key=nats)))


def _tested(shares: Array, right: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Tested:
    said, sure = shares.argmax(1), shares.max(1)
    confusion = np.zeros((shares.shape[1], shares.shape[1]), int)
    np.add.at(confusion, (right, said), 1)
    bins = (sure * _BINS).astype(int).clip(max=_BINS - 1)
    gaps = [
        abs(float((said == right)[bins == b].mean() - sure[bins == b].mean())) * (bins == b).mean() for b in set(bins)
    ]
    return Tested(tuple(tuple(int(n) for n in row) for row in confusion), float(sum(gaps)))
