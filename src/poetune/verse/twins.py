"""Near twins: poems that say the same words, or of which a large share is the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from poetune.verse.lines import line_key, units
from poetune.verse.overlap import line_keys

SHINGLE = 4


@dataclass(frozen=True, slots=True)
class Twin:
    """The earlier text that another repeats: its key, and the share of the shorter one's lines or 4-unit windows."""

    key: str
    share: float


class TwinIndex:
    """Texts as they come, each looked up among those before it; a lookup costs what the texts have in common.

    A share is that of the shorter text's lines (two at least), or of its windows of four units: whichever is larger.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._whole: dict[str, str] = {}
        self._lines, self._windows = _Held(least=2), _Held(least=SHINGLE)
        for key, text in (texts or {}).items():
            self.add(key, text)

    def add(self, key: str, text: str) -> None:
        """Take a text in."""
        self._whole.setdefault(line_key(text), key)
        self._lines.add(key, line_keys(text))
        self._windows.add(key, shingles(text))

    def nearest(self, text: str) -> Twin | None:
        """The earlier text that is most like this one; None where nothing is shared."""
        same = self._whole.get(line_key(text))
        if same is not None:
            return Twin(same, 1.0)
        found = [*self._lines.shared(line_keys(text)), *self._windows.shared(shingles(text))]
        return max(found, key=lambda twin: twin.share, default=None)


@dataclass
class _Held:
    """Which texts hold a feature; `least` shared ones count as likeness."""

    least: int
    holders: dict[str, list[str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def add(self, key: str, features: set[str]) -> None:
        self.sizes[key] = len(features)
        for feature in features:
            self.holders.setdefault(feature, []).append(key)

    def shared(self, features: set[str]) -> Iterable[Twin]:
        counts: dict[str, int] = {}
        for feature in features:
            for key in self.holders.get(feature, ()):
                counts[key] = counts.get(key, 0) + 1
        for key, count in counts.items():
            if count >= self.least:
                yield Twin(key, round(count / min(len(features), self.sizes[key]), 3))


def shingles(text: str) -> set[str]:
    """All windows of four units, whatever lines they run over."""
    found = units(text)
    return {" ".join(found[i : i + SHINGLE]) for i in range(len(found) - SHINGLE + 1)}


def twins(texts: Sequence[str], near: float = 0.5) -> list[tuple[int, int, float]]:
    """Pairs (earlier, later, share) of texts with the same units (share 1.0), or of whose lines at least `near` agree.

    The share is of the shorter text's lines.
    """
    keys = [line_keys(text) for text in texts]
    whole = [line_key(text) for text in texts]
    seen_whole: dict[str, int] = {}
    held = _Held(least=2)
    pairs: list[tuple[int, int, float]] = []
    for j, mine in enumerate(keys):
        if whole[j] in seen_whole:
            pairs.append((seen_whole[whole[j]], j, 1.0))
            continue
        seen_whole[whole[j]] = j
        shared = sorted((int(twin.key), twin.share) for twin in held.shared(mine))
        pairs += [(i, j, share) for i, share in shared if share >= near]
        held.add(str(j), mine)
    return pairs
