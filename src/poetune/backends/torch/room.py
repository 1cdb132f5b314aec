"""Keys and values of rows that come, move and go: one buffer a layer, (rows, heads, places, size)."""

import mmap
from collections.abc import Sequence
from typing import Any

import torch

_MORE = 64  # places that the buffers grow by, at least


class Room:
    """Buffers for `count` rows. On a CPU they span `most` places at once, and memory is taken where it is written."""

    def __init__(self, layers: int, count: int, heads: int, size: int, most: int, like: Any) -> None:
        self._shape = count, heads, size
        self._most, self._like, self._count = most, like, layers
        self.places = 0
        self.layers: list[Any] = []
        if like.device.type == "cpu":
            self.places = most
            self.layers = [self._unwritten() for _ in range(layers)]

    def _unwritten(self) -> Any:
        """Zeros of the operating system's, which take memory when they are written to."""
        count, heads, size = self._shape
        shape = count, heads, self.places, size
        bytes_ = count * heads * self.places * size * self._like.element_size()
        return torch.frombuffer(mmap.mmap(-1, bytes_), dtype=self._like.dtype).view(shape)

    def reach(self, places: int) -> None:
        """Room for that many places in each row."""
        if places <= self.places:
            return
        before, self.places = self.places, max(places + _MORE, self.places * 5 // 4)
        count, heads, size = self._shape
        old, self.layers = self.layers, []
        for number in range(self._count):
            new = self._like.new_zeros((count, heads, self.places, size))  # masked places are read: they must be finite
            if old:
                new[:, :, :before] = old[number]
                old[number] = None  # it goes before the next layer's new one comes
            self.layers.append(new)

    def put(self, layer: int, row: int, both: Any) -> None:
        """The keys and values (tokens, heads, size) that a row begins with."""
        self.layers[layer][row, :, : len(both)] = both.transpose(0, 1)

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row's first `length` places."""
        for buffer in self.layers:
            buffer[target, :, :length] = buffer[source, :, :length]

    def permute(self, order: Sequence[int], lengths: Sequence[int]) -> None:
        """Row `order[i]`, which has `lengths[i]` places, comes to row i."""
        for buffer in self.layers:
            done: set[int] = set()
            for start in range(len(order)):
                if start in done or order[start] == start:
                    continue
                lost = buffer[start, :, : lengths[order.index(start)]].clone()
                here = start
                while order[here] != start:
                    buffer[here, :, : lengths[here]] = buffer[order[here], :, : lengths[here]]
                    done.add(here)
                    here = order[here]
                buffer[here, :, : lengths[here]] = lost
                done.add(here)
