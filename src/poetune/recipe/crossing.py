"""Settings that are tried side by side: a list of them one by one, or lists of values crossed."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

V = TypeVar("V")


def crossed(given: Mapping[str, Sequence[V]] | Sequence[Mapping[str, V]]) -> list[dict[str, V]]:
    """`{a: [1, 2], b: [3]}` gives {a: 1, b: 3} and {a: 2, b: 3}; a list stays; nothing gives one empty setting."""
    if not isinstance(given, Mapping):
        return [dict(one) for one in given] or [{}]
    values: list[Sequence[Any]] = list(given.values())
    return [dict(zip(given, one, strict=True)) for one in itertools.product(*values)]
