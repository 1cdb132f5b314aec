"""Nats per supervised token: the head runs on the supervised positions only."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from poetune.backends.torch.loading import Base
from poetune.backends.torch.rows import Row

_CHUNK = 512  # positions whose logits are held at a time


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


def head_nats(head: Any, hidden: Any, target: Any) -> Any:
    """Nats of each target after the output head, from hidden states (tokens, size).

    A frozen head never holds more than a chunk of logits; a head in training keeps them for autograd.
    """
    weights = list(head.parameters())
    if type(head) is nn.Linear and not any(each.requires_grad for each in weights):
        nats: Any = _FrozenHead.apply(hidden, head.weight, head.bias, target)
        return nats
    return functional.cross_entropy(head(hidden).float(), target, reduction="none")


class _FrozenHead(torch.autograd.Function):  # type: ignore[misc]
    """Cross-entropy whose gradient (softmax - target) W is taken while the chunk's logits are at hand."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, bias: Any, target: Any) -> Any:
        """Nats of each token."""
        wanted = ctx.needs_input_grad[0]
        nats = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        gradient = torch.empty_like(hidden) if wanted else None
        for start in range(0, len(hidden), _CHUNK):
            here = slice(start, start + _CHUNK)
            logits = functional.linear(hidden[here], weight, bias).float()
            place = target[here, None]
            picked = logits.gather(1, place)
            top = logits.amax(-1, keepdim=True)
            logits.sub_(top).exp_()
            total = logits.sum(-1, keepdim=True)
            nats[here] = (total.log() + top - picked)[:, 0]
            if gradient is not None:
                logits.div_(total).scatter_add_(1, place, torch.full_like(picked, -1.0))
                gradient[here] = logits.to(weight.dtype) @ weight
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return nats

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> tuple[Any, None, None, None]:
        """Each token's gradient, weighted from above."""
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0][:, None].to(gradient.dtype), None, None, None
