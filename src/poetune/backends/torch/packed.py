"""Rows laid end to end through a Llama-like decoder, from the embeddings or from cached states on.

Prompts of one template begin alike: what all rows of a call begin with is laid and computed once, before them.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from poetune.backends.rows import Row
from poetune.backends.torch.dropout import DROPOUTS
from poetune.backends.torch.filling import common
from poetune.backends.torch.head import head_nats
from poetune.backends.torch.loading import Base
from poetune.backends.torch.stack import Stack
from poetune.backends.torch.states import States


class PackedModel:
    """A Llama-like decoder over rows laid end to end, from layer `first` on (0: from the embeddings)."""

    def __init__(self, base: Base, first: int = 0, states: States | None = None) -> None:
        self.base, self.states = base, states
        self.stack = Stack(base.model.base_model, first)

    def calls(self, rows: Sequence[Row], most: int) -> Iterator[Sequence[Row]]:
        """At most `most` rows at a time."""
        for start in range(0, len(rows), most):
            yield rows[start : start + most]

    def nats(self, rows: Sequence[Row]) -> tuple[Any, Any]:
        """Nats of all supervised tokens of a call, and the index of the row that each belongs to."""
        device = self.base.device
        shared = 0 if self._drops() else common([row.ids[: row.first - 1] for row in rows])
        lengths = [len(row.ids) - 1 - shared for row in rows]
        if self.states is None:
            laid = [*rows[0].ids[:shared], *(i for row in rows for i in row.ids[shared:-1])]
            states = self.base.model.get_input_embeddings()(torch.tensor(laid, device=device))
        else:
            entries = [self.states.get(row.ids[:-1]) for row in rows]
            states = torch.cat([entries[0][:shared], *(each[shared:] for each in entries)]).to(device)
        start = shared
        wanted: list[int] = []
        owner: list[int] = []
        target: list[int] = []
        for number, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            wanted += range(start + row.first - 1 - shared, start + length)
            owner += [number] * (len(row.ids) - row.first)
            target += row.ids[row.first :]
            start += length
        with torch.autocast(device.type, enabled=False):
            hidden = self.stack(states, lengths, torch.tensor(wanted, device=device), shared=shared)
            nats = head_nats(self.base.model.get_output_embeddings(), hidden, torch.tensor(target, device=device))
        return nats, torch.tensor(owner, device=device)

    def _drops(self) -> bool:
        """Whether dropout is on: each row then draws its own."""
        return any(each.training for each in self.base.model.modules() if isinstance(each, DROPOUTS))
