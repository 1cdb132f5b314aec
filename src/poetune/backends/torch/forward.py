"""Nats per supervised token: the head runs on the supervised positions only."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from poetune.backends.torch.loading import Base
from poetune.backends.torch.rows import Row

_CHUNK = 2048  # positions per call of the head where no gradient is kept


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
    head = base.model.get_output_embeddings()
    if torch.is_grad_enabled():
        return functional.cross_entropy(head(hidden).float(), target, reduction="none"), owner
    parts = [
        functional.cross_entropy(head(hidden[i : i + _CHUNK]).float(), target[i : i + _CHUNK], reduction="none")
        for i in range(0, len(hidden), _CHUNK)
    ]
    return torch.cat(parts), owner
