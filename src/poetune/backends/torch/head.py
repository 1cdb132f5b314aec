"""The output head on supervised tokens: cross-entropy in blocks of the vocabulary, its gradient taken on the way.

The logits of a block are turned into exponentials at once and meet the head's weights again for the gradient while both
are still in the processor's cache; neither logits nor probabilities of all tokens ever exist. No maximum is searched:
exponentials are taken relative to the target's own logit, and a token whose sum overflows is done once more, safely.
"""

from typing import Any

import torch
from torch import nn
from torch.autograd import Function
from torch.nn import functional

_COLUMNS = {"cpu": 2048}  # vocabulary entries at a time
_STRIDE = 16  # tokens are rounded up to it: measured, products over 250 tokens reach 72 GFLOP/s, over 256 98
_ROUNDING = 2.0**-24  # half a unit in the last place of 1 in fp32
_CHUNK = 512  # tokens at a time where all columns are taken at once


def head_nats(head: Any, hidden: Any, target: Any) -> Any:
    """Nats (tokens,) of each target after the output head, from hidden states (tokens, size).

    A frozen head never holds more than a block of logits; a head in training keeps them for autograd.
    """
    if type(head) is nn.Linear and not any(each.requires_grad for each in head.parameters()):
        nats: Any = FrozenHead.apply(hidden, head.weight, head.bias, target)
        return nats
    return functional.cross_entropy(head(hidden).float(), target, reduction="none")


class FrozenHead(Function):  # type: ignore[misc]
    """-log softmax(x W' + b)[target] with frozen W and b."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, bias: Any, target: Any) -> Any:
        """hidden (tokens, size), weight (vocabulary, size), target (tokens,)."""
        wanted = ctx.needs_input_grad[0]
        own = weight[target]
        base = torch.einsum("td,td->t", hidden.float(), own.float())
        if bias is not None:
            base += bias[target].float()
        count, over = len(hidden), -len(hidden) % _STRIDE
        turned = functional.pad(hidden, (0, 0, 0, over)).t().contiguous()
        base = functional.pad(base, (0, over), value=torch.inf)
        total = torch.zeros(count + over, device=hidden.device)
        gradient = torch.zeros((count + over, hidden.shape[1]), device=hidden.device) if wanted else None
        columns = _COLUMNS.get(hidden.device.type, max(4096, 2**27 // max(1, count)))
        thin = _Thin()
        for start in range(0, len(weight), columns):
            block = weight[start : start + columns]
            odds = (block @ turned).float().sub_(base)  # a row a vocabulary entry: the faster way round
            if bias is not None:
                odds += bias[start : start + columns, None].float()
            total += odds.exp_().sum(0)
            if gradient is not None:
                thin.add(gradient, odds, block)
        nats = total[:count].log()
        spilled = ~torch.isfinite(nats)
        if gradient is not None:
            gradient = gradient[:count].div_(total[:count, None]).sub_(own)
        if bool(spilled.any()):
            nats[spilled], safe = _safely(hidden[spilled], weight, bias, target[spilled])
            if gradient is not None:
                gradient[spilled] = safe
        if gradient is not None:
            ctx.save_for_backward(gradient.to(hidden.dtype))
        return nats

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> tuple[Any, None, None, None]:
        """Each token's gradient (softmax - target) W, weighted from above."""
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0][:, None].to(gradient.dtype), None, None, None


class _Thin:
    """Adds odds' @ block to a gradient, odds (block, tokens), but for entries that no token gives more than rounding.

    A token's odds are at least its probability, as the target's own are 1. Looking costs a pass over the odds, so where
    two blocks gave little away (a model that knows nothing yet), the others are not looked at.
    """

    def __init__(self) -> None:
        self.looked, self.kept = 0, 0.0

    def add(self, gradient: Any, odds: Any, block: Any) -> None:
        """Add in place."""
        if odds.device.type == "cpu" and (self.looked < 2 or self.kept / self.looked < 0.5):
            live = (odds.amax(1) > _ROUNDING).nonzero()[:, 0]
            self.looked, self.kept = self.looked + 1, self.kept + len(live) / len(block)
            if len(live) < len(block) // 2:
                odds, block = odds[live], block[live]
        if odds.dtype == block.dtype:
            gradient.addmm_(odds.t(), block)
        else:
            gradient += odds.to(block.dtype).t() @ block


def _safely(hidden: Any, weight: Any, bias: Any, target: Any) -> tuple[Any, Any]:
    """Nats and gradient with the maximum taken off first."""
    nats, gradients = [], []
    for start in range(0, len(hidden), _CHUNK):
        here = slice(start, start + _CHUNK)
        logits = functional.linear(hidden[here], weight, bias).float()
        nats.append(functional.cross_entropy(logits, target[here], reduction="none"))
        odds = logits.softmax(-1)
        odds[torch.arange(len(odds), device=odds.device), target[here]] -= 1
        gradients.append((odds.to(weight.dtype) @ weight).float())
    return torch.cat(nats), torch.cat(gradients)
