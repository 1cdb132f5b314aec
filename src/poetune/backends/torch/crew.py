"""Who trains together: the rows of a step are shared, gradients and sums are added up, decisions are taken by all."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from poetune.backends.rows import Row
from poetune.errors import EngineError

_T = TypeVar("_T")


class Agreed(EngineError):  # noqa: N818
    """What stops a training, known to all of its processes."""


class Crew(Protocol):
    """The processes of one training as one of them sees them; `rank` 0 leads and alone writes."""

    rank: int
    size: int

    def agree(self, word: _T) -> list[_T]:
        """Every process's word, by rank. Raises Agreed in all of them where one has failed."""
        ...

    def add_up(self, parameters: Sequence[Any]) -> None:
        """Give each parameter the sum of all processes' gradients."""
        ...

    def level(self, parameters: Sequence[Any]) -> None:
        """Give each parameter the values that it has in the process of rank 0."""
        ...


class Alone:
    """One process; nothing is shared."""

    rank, size = 0, 1

    def agree(self, word: _T) -> list[_T]:
        """The own word."""
        return [word]

    def add_up(self, parameters: Sequence[Any]) -> None:
        """The gradients are whole already."""

    def level(self, parameters: Sequence[Any]) -> None:
        """There is no one else."""


def share(rows: Sequence[Row], crew: Crew) -> list[Row]:
    """This process's part of rows sorted by length: the longest go first, each to whoever has the fewest tokens."""
    parts: list[list[Row]] = [[] for _ in range(crew.size)]
    tokens = [0] * crew.size
    for row in reversed(rows):
        least = tokens.index(min(tokens))
        parts[least].append(row)
        tokens[least] += len(row.ids)
    return parts[crew.rank][::-1]
