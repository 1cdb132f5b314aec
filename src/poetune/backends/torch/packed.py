"""Rows laid end to end through a Llama-like decoder, from the embeddings or from cached states on."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from poetune.backends.rows import Row
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
        lengths = [len(row.ids) - 1 for row in rows]
        if self.states is None:
            ids = torch.tensor([i for row in rows for i in row.ids[:-1]], device=device)
            states = self.base.model.get_input_embeddings()(ids)
        else:
            states = torch.cat([self.states.get(row.ids[:-1]) for row in rows]).to(device)
        start = 0
        wanted: list[int] = []
        owner: list[int] = []
        target: list[int] = []
        for number, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            wanted += range(start + row.first - 1, start + length)
            owner += [number] * (len(row.ids) - row.first)
            target += row.ids[row.first :]
            start += length
        with torch.autocast(device.type, enabled=False):
            hidden = self.stack(states, lengths, torch.tensor(wanted, device=device))
            nats = head_nats(self.base.model.get_output_embeddings(), hidden, torch.tensor(target, device=device))
        return nats, torch.tensor(owner, device=device)
