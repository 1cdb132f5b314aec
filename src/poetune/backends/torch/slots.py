"""Continuous batching: a poem that ends leaves its place, and the next one takes it at once.

Prompts are read end to end without padding. A seat is a row's name as long as it writes; its place is where its keys
and values lie. Places stay dense: the last row moves into the gap that one leaves, and now and then all are sorted by
length, so that neighbours, which attend in one call, are about equally long and little is masked.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from poetune.backends.torch.bank import Bank, Worn
from poetune.backends.torch.blocks import block_of
from poetune.backends.torch.decoding import Decoder
from poetune.backends.torch.filling import common
from poetune.backends.torch.loading import Base
from poetune.backends.torch.lower import Reading
from poetune.backends.torch.room import Room
from poetune.backends.torch.stack import attend, positions

Keep = Callable[[int, int, Any], None]
_TOGETHER = 8  # rows that attend in one call on a CPU; on a GPU all do


class Slots:
    """Keys and values of at most `count` rows of at most `most` tokens, and one step of the decoder for all of them."""

    def __init__(self, base: Base, count: int, most: int, bank: Bank | None = None) -> None:
        block = block_of(base.model.base_model)
        assert block is not None
        self.decoder = decoder = Decoder(base.model.base_model, block)
        self.bank, self.lower, self.device = bank, base.lower, decoder.like.device
        shares = bank is not None or base.lower.keeps or base.lower.bytes
        self.edge = min(base.adapted_from if bank is None else bank.first, len(decoder.layers) - 1) if shares else 0
        self.room = Room(len(decoder.layers), count, 2 * decoder.shared, decoder.size, most, decoder.like)
        self.seats: list[int] = []  # who sits at places 0, 1, 2, ...
        self.lengths: list[int] = []  # and the tokens read there
        self._which = torch.full((count,), -1, device=self.device)
        self._wasted = 0

    def enter(self, seats: Sequence[int], prompts: Sequence[Sequence[int]], which: Sequence[int]) -> Any:
        """Read prompts into new places: the last hidden states (rows, size) of each.

        `which` are the numbers of the adapters that the rows wear, -1 for none. What rows have in common is read once:
        equal prompts under one adapter in all layers, under different ones in the layers that none of them changes.
        """
        first = len(self.seats)
        self.room.reach(max(map(len, prompts)) + 1)
        rows = [(tuple(prompt), number) for prompt, number in zip(prompts, which, strict=True)]
        kinds = list(dict.fromkeys(rows))
        places = {kind: [first + i for i, row in enumerate(rows) if row == kind] for kind in kinds}
        below = self._below(list(dict.fromkeys(prompt for prompt, _ in kinds)))
        for number in range(self.edge):
            for kind in kinds:
                self._put(number, places[kind], below[kind[0]].both[number])
        alike = len({own for _, own in kinds}) == 1  # else the same beginning is not the same under each adapter
        begun = common([prompt[:-1] for prompt, _ in kinds]) if alike else 0
        entering = [below[prompt].states for prompt, _ in kinds]
        x = torch.cat([entering[0][:begun], *(states[begun:] for states in entering)])
        lengths = [len(prompt) - begun for prompt, _ in kinds]
        worn = {}
        if self.bank is not None:
            owners = [kinds[0][1]] * begun + [own for (_, own), n in zip(kinds, lengths, strict=True) for _ in range(n)]
            worn = self.bank.worn(torch.tensor(owners, device=self.device))
        last = begun + torch.tensor(lengths, device=self.device).cumsum(0) - 1
        x = self._read(
            x,
            begun,
            lengths,
            range(self.edge, len(self.decoder.layers)),
            lambda n, i, new: self._put(n, places[kinds[i]], new),
            worn,
            last,
        )
        self.seats += seats
        self.lengths += [len(prompt) for prompt in prompts]
        self._which[first : len(self.seats)] = torch.tensor(list(which), device=self.device)
        return self.decoder.finish(x)[torch.tensor([kinds.index(row) for row in rows], device=self.device)]

    def _put(self, number: int, places: Sequence[int], both: Any) -> None:
        for place in places:
            self.room.put(number, place, both)

    def _below(self, prompts: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], Reading]:
        """What enters layer `edge`, and the keys and values of the layers under it."""
        found = {prompt: kept for prompt in prompts if self.edge and (kept := self.lower.get(self.edge, prompt))}
        missing = [prompt for prompt in prompts if prompt not in found]
        if missing:
            begun = common([prompt[:-1] for prompt in missing])
            laid = [*missing[0][:begun], *(i for prompt in missing for i in prompt[begun:])]
            lengths = [len(prompt) - begun for prompt in missing]
            at = positions(lengths, begun, self.device)
            x = self.decoder.embed(torch.tensor(laid, device=self.device), at)
            made: list[list[Any]] = [[] for _ in missing]
            x = self._read(x, begun, lengths, range(self.edge), lambda _, i, new: made[i].append(new), {}, None)
            first, *rest = x.split([begun, *lengths])
            for prompt, both, states in zip(missing, made, rest, strict=True):
                found[prompt] = Reading(tuple(both), torch.cat((first, states)))
                if self.edge and self.lower.keeps:
                    self.lower.keep(self.edge, prompt, found[prompt])
        return found

    def _read(
        self,
        x: Any,
        begun: int,
        lengths: list[int],
        numbers: range,
        keep: Keep,
        worn: dict[int, Worn],
        last: Any,
    ) -> Any:
        """Prompts end to end, after the `begun` tokens with which all begin, through some layers.

        `keep` is given layer, prompt, and all of its keys and values.
        """
        turns = self.decoder.turns(x, positions(lengths, begun, self.device))
        for number in numbers:
            layer = self.decoder.layers[number]

            def read(query: Any, both: Any, number: int = number, layer: Any = layer) -> Any:
                first, *rest = both.split([begun, *lengths])
                for i, given in enumerate(rest):
                    keep(number, i, torch.cat((first, given)) if begun else given)
                keys, values = both.split(self.decoder.shared, 1)
                return attend(query, keys, values, lengths, layer.scale, begun, layer.window)

            wanted = last if number == len(self.decoder.layers) - 1 else None
            x = layer(x, turns, read, wanted, worn.get(number))
        return x

    def leave(self, seats: Sequence[int]) -> None:
        """Rows that are done give their places up."""
        for place in sorted((self.seats.index(seat) for seat in seats), reverse=True):
            last = len(self.seats) - 1
            self.room.took(place, self.lengths[place])
            if place < last:
                self._move(last, place)
            self.room.took(last, self.lengths.pop())
            self.room.trim(last, 0)
            self.seats.pop()

    def _move(self, source: int, target: int) -> None:
        self.room.move(source, target, self.lengths[source])
        self.seats[target], self.lengths[target] = self.seats[source], self.lengths[source]
        self._which[target] = self._which[source]

    def step(self, tokens: Any) -> Any:
        """Read the token of each seat, of `tokens` (seats,): hidden states (rows, size) in the order of `seats`."""
        self.room.reach(max(self.lengths) + 1)
        self._tidy()
        decoder = self.decoder
        groups = {window: self._groups(window) for window in {layer.window for layer in decoder.layers}}
        tokens = tokens[torch.tensor(self.seats, device=self.device)]
        at = torch.tensor(self.lengths, device=self.device)
        x = decoder.embed(tokens, at)
        turns = decoder.turns(x, at)
        worn = {} if self.bank is None else self.bank.worn(self._which[: len(self.seats)])
        rows = torch.arange(len(self.seats), device=self.device)
        for number, layer in enumerate(decoder.layers):

            def read(query: Any, both: Any, number: int = number, layer: Any = layer) -> Any:
                buffer = self.room.layers[number]
                buffer[rows, :, at] = both
                # The heads that share a key are its queries: (rows, shared heads, queries, size); no key is copied.
                query = query.unflatten(1, (decoder.shared, -1))
                parts = []
                for few, near, mask in groups[layer.window]:
                    keys, values = buffer[few, :, near].split(decoder.shared, 1)
                    parts.append(
                        functional.scaled_dot_product_attention(
                            query[few], keys, values, attn_mask=mask, scale=layer.scale
                        )
                    )
                return (parts[0] if len(parts) == 1 else torch.cat(parts)).flatten(1)

            x = layer(x, turns, read, None, worn.get(number))
        self.lengths = [length + 1 for length in self.lengths]
        return decoder.finish(x)

    @property
    def _together(self) -> int:
        """Rows that attend in one call."""
        return _TOGETHER if self.device.type == "cpu" else len(self.seats)

    def _groups(self, window: int) -> list[tuple[slice, slice, Any]]:
        """Rows that attend together: which, to which places, and a mask where not all of them may read all of these."""
        out = []
        for start in range(0, len(self.lengths), self._together):
            lengths = self.lengths[start : start + self._together]
            first = max(0, min(lengths) + 1 - window) if window else 0
            near, mask = slice(first, max(lengths) + 1), None
            if min(lengths) < max(lengths):
                here = torch.tensor(lengths, device=self.device)[:, None]
                places_ = torch.arange(near.start, near.stop, device=self.device)
                mask = places_ <= here
                if window:
                    mask &= places_ > here - window
                mask = mask[:, None, None, :]
            out.append((slice(start, start + len(lengths)), near, mask))
        return out

    def _tidy(self) -> None:
        """Sort the places when what was read in vain since then has cost what sorting moves."""
        whole, few = sum(self.lengths), self._together
        parts = [self.lengths[i : i + few] for i in range(0, len(self.lengths), few)]
        self._wasted += sum(max(part) * len(part) for part in parts) - whole
        if few < len(self.seats) and self._wasted > 2 * whole:
            self._sort()

    def _sort(self) -> None:
        """The longest first."""
        self._wasted = 0
        order = sorted(range(len(self.seats)), key=lambda place: -self.lengths[place])
        self.room.permute(order, [self.lengths[place] for place in order])
        self._which[: len(order)] = self._which[torch.tensor(order, device=self.device)]
        self.seats = [self.seats[place] for place in order]
        self.lengths = [self.lengths[place] for place in order]
