"""What layers below every adapter give for a prompt: the same for all checkpoints of a base, so it is made once.

Kept while other checkpoints of the base are still to write, up to a limit; past it, prompts are read anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_LIMIT = 256 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt's keys and values (tokens, heads, size) in each lower layer, and the states (tokens, hidden) above."""

    both: tuple[Any, ...]
    states: Any

    @property
    def bytes(self) -> int:
        """Memory taken."""
        return sum(each.numel() * each.element_size() for each in (*self.both, self.states))


class Lower:
    """Readings by the number of layers that gave them, and token ids; `keeps` says whether more are of use."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self.limit, self.bytes, self.keeps = limit, 0, False
        self._kept: dict[tuple[int, tuple[int, ...]], Reading] = {}

    def get(self, layers: int, ids: Sequence[int]) -> Reading | None:
        """A prompt's reading, if it is kept."""
        return self._kept.get((layers, tuple(ids)))

    def keep(self, layers: int, ids: Sequence[int], reading: Reading) -> None:
        """Keep one, copied out of its batch, while there is room."""
        if self.bytes + reading.bytes > self.limit:
            return
        self.bytes += reading.bytes
        self._kept[layers, tuple(ids)] = Reading(tuple(each.clone() for each in reading.both), reading.states.clone())

    def clear(self) -> None:
        """Let all go."""
        self._kept.clear()
        self.bytes, self.keeps = 0, False
