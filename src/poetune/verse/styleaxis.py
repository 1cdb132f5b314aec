"""Where a poem stands between two poets: 0 where the first one's unseen poems stand on average, 1 for the second's."""

from collections.abc import Sequence

import numpy as np

from poetune.errors import CorpusError
from poetune.verse.authorship import FEWEST, chosen
from poetune.verse.ridge import fitted
from poetune.verse.stylespace import StyleSpace


class StyleAxis:
    """The direction of style in which two poets differ.

    `spread` holds the standard deviations of each poet's own unseen poems along it, and `overlap` how often a poem of
    the first, drawn at random, stands nearer to the second than one of the second (0 never, .5 no better than chance).
    """

    def __init__(self, first: Sequence[str], second: Sequence[str]) -> None:
        """Learn from both poets' poems. Raises CorpusError where one has fewer than `authorship.FEWEST`."""
        if min(len(set(first)), len(set(second))) < FEWEST:
            raise CorpusError(
                f"a style position between two poets needs {FEWEST} poems of each, and there are {len(set(first))} and "
                f"{len(set(second))}; add poems with `poetune corpus`."
            )
        sets = [chosen(first), chosen(second)]
        flat = [text for texts in sets for text in texts]
        self._space = StyleSpace(flat)
        right = np.repeat([0.0, 1.0], [len(texts) for texts in sets])
        self._map = fitted(self._space.of(flat), right[:, None] - right.mean())
        held_out = self._map.held_out[:, 0]
        apart = held_out[right == 0], held_out[right == 1]
        self._zero, one = (float(values.mean()) for values in apart)
        self._unit = one - self._zero
        if self._unit <= 0:
            raise CorpusError("these two poets' poems cannot be told apart, so there is no position between them.")
        self.spread = (float(apart[0].std() / self._unit), float(apart[1].std() / self._unit))
        self.overlap = float((apart[0][:, None] > apart[1][None, :]).mean())

    def positions(self, texts: Sequence[str]) -> list[float]:
        """Each text's position; below 0 and above 1 are possible."""
        if not texts:
            return []
        return [float(v) for v in (self._map.of(self._space.of(texts))[:, 0] - self._zero) / self._unit]
