"""How much of some poems stands word for word in others: whole lines, and windows of five words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from poetune.verse.grams import GramIndex
from poetune.verse.overlap import LineIndex
from poetune.verse.twins import TwinIndex


@dataclass(frozen=True, slots=True)
class Copies:
    """Copied lines of those long enough to count, their share, and the mean share of copied 5-grams of a poem.

    Shares are None where there is nothing to count.
    """

    copied: int = 0
    countable: int = 0
    share: float | None = None
    grams: float | None = None


class Originals:
    """The poems that a model learned, for finding what was taken from them."""

    def __init__(self, texts: Mapping[str, str], words: int, characters: int) -> None:
        self._lines = LineIndex(texts, words, characters)
        self._grams = GramIndex(texts)
        self._twins = TwinIndex(texts)

    def copies(self, texts: Iterable[str]) -> Copies:
        """What these texts take."""
        found = list(texts)
        copied = sum(len(self._lines.copied(text)) for text in found)
        countable = sum(self._lines.countable(text) for text in found)
        shares = [self._grams.share(text) for text in found]
        return Copies(
            copied,
            countable,
            copied / countable if countable else None,
            sum(shares) / len(shares) if shares else None,
        )

    def twins(self, texts: Mapping[str, str], near: float = 0.5) -> dict[str, str]:
        """Ids of texts that are near twins of an original, with the original's."""
        found = {key: self._twins.nearest(text) for key, text in texts.items()}
        return {key: twin.key for key, twin in found.items() if twin is not None and twin.share >= near}
