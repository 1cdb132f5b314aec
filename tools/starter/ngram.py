"""A byte 5-gram with Witten-Bell interpolation, the yardstick for any language model.

Counts are sorted arrays of packed n-grams, so that tens of megabytes train in a minute.
"""

import numpy as np

ORDER = 5
_START = b"\n" * (ORDER - 1)


class ByteNgram:
    """Interpolated n-gram over bytes: P_k(c|h) = (C(hc) + T(h) P_{k-1}(c|h')) / (C(h) + T(h))."""

    def __init__(self, text: bytes, order: int = ORDER) -> None:
        stream = np.frombuffer(_START + text, dtype=np.uint8).astype(np.uint64)
        self.order = order
        self._grams: list[tuple[np.ndarray, np.ndarray]] = []
        self._contexts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for n in range(1, order + 1):
            packed = _pack(stream, n)
            grams, counts = np.unique(packed, return_counts=True)
            owners, first = np.unique(grams >> np.uint64(8), return_index=True)
            kinds = np.diff(np.append(first, len(grams)))
            totals = np.add.reduceat(counts, first)
            self._grams.append((grams, counts))
            self._contexts.append((owners, totals, kinds))

    def bits(self, text: bytes) -> float:
        """Total bits that the model needs for `text`."""
        stream = np.frombuffer(_START + text, dtype=np.uint8).astype(np.uint64)
        length = len(text)
        probability = np.full(length, 1 / 256)
        for n in range(1, self.order + 1):
            packed = _pack(stream, n)[-length:]
            grams, counts = self._grams[n - 1]
            owners, totals, kinds = self._contexts[n - 1]
            hits = _look(grams, counts, packed)
            context = packed >> np.uint64(8)
            total, kind = _look(owners, totals, context), _look(owners, kinds, context)
            seen = total > 0
            mixed = (hits + kind * probability) / np.where(seen, total + kind, 1)
            probability = np.where(seen, mixed, probability)
        return float(-np.log2(probability).sum())


def _pack(stream: np.ndarray, n: int) -> np.ndarray:
    length = len(stream) - n + 1
    packed = np.zeros(length, dtype=np.uint64)
    for i in range(n):
        packed = (packed << np.uint64(8)) | stream[i : i + length]
    return packed


def _look(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0).astype(np.float64)


def ngram_bits_per_byte(training: list[str], held_out: list[str]) -> float:
    """Bits per byte of the held-out poems under a 5-gram of the training poems, each poem on its own."""
    model = ByteNgram("\n\n\n\n".join(training).encode())
    total = sum(model.bits(text.encode()) for text in held_out)
    return total / sum(len(text.encode()) for text in held_out)
