"""An interpolated n-gram model over bytes: Witten-Bell smoothing down to a uniform floor."""

import math
from collections.abc import Iterable, Mapping, Sequence

BOS, EOS, SIZE = 256, 257, 258
_WRITABLE = 257  # every byte and EOS; BOS is read, never written


class Ngrams:
    """Counts of what followed each context of up to `order` - 1 ids.

    Witten and Bell (1991): p(w|h) = (c(h,w) + T(h) p(w|h')) / (c(h) + T(h)), T(h) the kinds seen after h.
    """

    def __init__(self, order: int = 6, counts: Mapping[str, Mapping[int, float]] | None = None) -> None:
        self.order = order
        self.counts: dict[str, dict[int, float]] = {h: dict(c) for h, c in (counts or {}).items()}

    def _contexts(self, before: Sequence[int]) -> Iterable[str]:
        longest = "".join(map(chr, before[max(0, len(before) - self.order + 1) :]))
        return (longest[i:] for i in range(len(longest), -1, -1))

    def add(self, ids: Sequence[int], first: int) -> None:
        """Learn ids[first:], each from what stands before it."""
        for i in range(first, len(ids)):
            for context in self._contexts(ids[max(0, i - self.order + 1) : i]):
                seen = self.counts.setdefault(context, {})
                seen[ids[i]] = seen.get(ids[i], 0.0) + 1.0

    def probabilities(self, before: Sequence[int]) -> list[float]:
        """p of each id 0..257 after `before`; they add up to 1, and BOS has none."""
        floor, known = 1.0 / _WRITABLE, dict[int, float]()
        for context in self._contexts(before):
            seen = self.counts.get(context)
            if not seen:
                break
            whole = sum(seen.values()) + len(seen)
            back = len(seen) / whole
            floor *= back
            for key in known:
                known[key] *= back
            for key, count in seen.items():
                known[key] = known.get(key, 0.0) + count / whole
        out = [floor] * SIZE
        out[BOS] = 0.0
        for key, value in known.items():
            out[key] += value
        return out

    def log_likelihood(self, ids: Sequence[int], first: int) -> float:
        """Nats of ids[first:]."""
        return sum(math.log(self._one(ids[max(0, i - self.order + 1) : i], ids[i])) for i in range(first, len(ids)))

    def _one(self, before: Sequence[int], wanted: int) -> float:
        p = 1.0 / _WRITABLE
        for context in self._contexts(before):
            seen = self.counts.get(context)
            if not seen:
                break
            p = (seen.get(wanted, 0.0) + len(seen) * p) / (sum(seen.values()) + len(seen))
        return p


def continues(tail: Sequence[int]) -> tuple[int, int] | None:
    """The bytes, first to last, that may go on an unfinished UTF-8 character at the end of `tail`; None between two."""
    for back in range(1, min(4, len(tail)) + 1):
        byte = tail[-back]
        if byte < 0x80 or byte > 0xFF:
            return None
        if byte >= 0xC0:
            need = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            if back >= need:
                return None
            special = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
            return special.get(byte, (0x80, 0xBF)) if back == 1 else (0x80, 0xBF)
    return None


def startable(byte: int) -> bool:
    """Whether a byte may start a UTF-8 character."""
    return byte < 0x80 or 0xC2 <= byte <= 0xF4
