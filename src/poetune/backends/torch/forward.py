"""Nats per supervised token: the head runs on the supervised positions only."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch.nn import functional

from poetune.backends.ordering import runs
from poetune.backends.rows import Row
from poetune.backends.torch.head import head_nats
from poetune.backends.torch.loading import Base

_CALL_TOKENS = {"cpu": 64}  # on a GPU a call costs more than any padding


class Forward(Protocol):
    """How rows go through a model: cut into calls, and the nats of a call's supervised tokens."""

    def calls(self, rows: Sequence[Row], most: int) -> Iterator[Sequence[Row]]:
        """Rows sorted by length, in calls of at most `most` rows."""
        ...

    def nats(self, rows: Sequence[Row]) -> tuple[Any, Any]:
        """Nats of all supervised tokens of a call, and the index of the row that each belongs to."""
        ...


class WholeModel:
    """Every layer runs, as transformers runs it; rows are padded on the right."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self._call_cost = _CALL_TOKENS.get(base.device.type, 2**30)

    def calls(self, rows: Sequence[Row], most: int) -> Iterator[Sequence[Row]]:
        """Rows of like length together."""
        return runs(rows, most, self._call_cost)

    def nats(self, rows: Sequence[Row]) -> tuple[Any, Any]:
        """Nats and owners of one padded call."""
        return token_nats(self.base, rows)


def token_nats(base: Base, rows: Sequence[Row]) -> tuple[Any, Any]:
    """Negative log-probabilities (nats) of all supervised tokens, and the index of the row that each belongs to.

    Rows are padded on the right: under causal attention no real token ever sees a pad, so no mask is needed.
    """
    length = max(len(row.ids) for row in rows) - 1
    ids = torch.zeros((len(rows), length), dtype=torch.long)
    where: list[int] = []
    positions: list[int] = []
    targets: list[int] = []
    for i, row in enumerate(rows):
        ids[i, : len(row.ids) - 1] = torch.tensor(row.ids[:-1])
        where += [i] * (len(row.ids) - row.first)
        positions += range(row.first - 1, len(row.ids) - 1)
        targets += row.ids[row.first :]
    ids = ids.to(base.device)
    owner = torch.tensor(where, device=base.device)
    place = torch.tensor(positions, device=base.device)
    target = torch.tensor(targets, device=base.device)
    if not base.fast_head:
        logits = base.model(input_ids=ids, use_cache=False).logits[owner, place]
        return functional.cross_entropy(logits.float(), target, reduction="none"), owner
    hidden = base.model.base_model(input_ids=ids, use_cache=False).last_hidden_state[owner, place]
    return head_nats(base.model.get_output_embeddings(), hidden, target), owner
