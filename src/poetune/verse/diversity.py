"""Diversity at an equal amount of text: distinct-n falls as texts grow, so it is only compared over as many windows."""

import hashlib
from collections.abc import Iterable

from poetune.verse.lines import units


def windows(texts: Iterable[str], n: int) -> list[tuple[str, ...]]:
    """All n-unit windows, none across two texts; texts in an order of their own hashes, so that neighbours mix."""
    ordered = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
    return [tuple(u[i : i + n]) for u in map(units, ordered) for i in range(len(u) - n + 1)]


def distinct_at(texts: Iterable[str], n: int, size: int) -> float | None:
    """Mean distinct-n over consecutive stretches of `size` windows; None where the texts do not fill one."""
    found = windows(texts, n)
    if size < 1 or len(found) < size:
        return None
    shares = [len(set(found[i : i + size])) / size for i in range(0, len(found) - size + 1, size)]
    return sum(shares) / len(shares)
