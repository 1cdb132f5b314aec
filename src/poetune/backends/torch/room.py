"""Keys and values of rows that come, move and go: one buffer a layer, (rows, heads, places, size)."""

import mmap
from collections.abc import Sequence
from typing import Any

import torch

_MORE = 64  # places that the buffers grow by, at least
_SLACK = 16  # places that a row may have taken beyond its length


class Room:
    """Buffers for `count` rows. On a CPU they span `most` places at once; memory is taken where it is written to, and
    given back where a row ends or makes way for a shorter one.
    """

    def __init__(self, layers: int, count: int, heads: int, size: int, most: int, like: Any) -> None:
        self._shape = count, heads, size
        self._most, self._like, self._count = most, like, layers
        self.places = 0
        self.layers: list[Any] = []
        self._maps: list[mmap.mmap] = []
        self._taken = [0] * count  # places of each row that have been written to
        if like.device.type == "cpu":
            self.places = most
            self.layers = [self._unwritten() for _ in range(layers)]

    def _unwritten(self) -> Any:
        """Zeros of the operating system's, which take memory when they are written to."""
        count, heads, size = self._shape
        shape = count, heads, self.places, size
        bytes_ = count * heads * self.places * size * self._like.element_size()
        self._maps.append(_own_pages(bytes_))
        return torch.frombuffer(self._maps[-1], dtype=self._like.dtype).view(shape)

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
        self.trim(target, length)

    def took(self, row: int, length: int) -> None:
        """Say that a row's first `length` places have been written to."""
        self._taken[row] = max(self._taken[row], length)

    def trim(self, row: int, length: int) -> None:
        """Give back what a row has taken beyond its first `length` places, where that is worth it."""
        if not self._maps or self._taken[row] < length + (_SLACK if length else 1):
            self.took(row, length)
            return
        _, heads, size = self._shape
        place = size * self._like.element_size()
        end = place * self._taken[row]
        for pages in self._maps:
            for head in range(row * heads, (row + 1) * heads):
                start = head * self.places * place
                _give_back(pages, start + place * length, start + end)
        self._taken[row] = length

    def permute(self, order: Sequence[int], lengths: Sequence[int]) -> None:
        """Row `order[i]`, which has `lengths[i]` places, comes to row i."""
        for row, length in zip(order, lengths, strict=True):
            self.took(row, length)
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
        for row, length in enumerate(lengths):
            self.trim(row, length)


def _own_pages(bytes_: int) -> mmap.mmap:
    """Memory of the operating system's, in small pages where it has a choice."""
    if not hasattr(mmap, "MADV_NOHUGEPAGE"):
        return mmap.mmap(-1, bytes_)
    pages = mmap.mmap(-1, bytes_, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages.madvise(mmap.MADV_NOHUGEPAGE)
    return pages


def _give_back(pages: mmap.mmap, start: int, end: int) -> None:
    """The whole pages between two bytes; they read as zeros from now on."""
    first, last = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE, end // mmap.PAGESIZE * mmap.PAGESIZE
    if first < last and hasattr(mmap, "MADV_NOHUGEPAGE"):  # only Linux takes them at once
        pages.madvise(mmap.MADV_DONTNEED, first, last - first)
