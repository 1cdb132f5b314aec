"""Dropout for the CPU: 16 random bits an element, where torch spends a whole draw on each."""

from typing import Any

import torch
from torch import nn

_KINDS = 1 << 16


class BitDropout(nn.Module):  # type: ignore[misc]
    """As nn.Dropout, with the rate rounded to 1/65536; reads torch's global generator."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.dropped = round(rate * _KINDS)

    def forward(self, x: Any) -> Any:
        """Zero a share of x and scale up the rest."""
        if not self.training or not self.dropped:
            return x
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        return x * (bits >= self.dropped - _KINDS // 2).to(x.dtype).mul_(_KINDS / (_KINDS - self.dropped))


DROPOUTS = (BitDropout, nn.Dropout)


def quicken(model: Any) -> list[Any]:
    """Put BitDropout in the place of LoRA's own dropout on a CPU; what is switched on during a step, off."""
    found = []
    for name, holder in model.named_modules():
        if name.endswith("lora_dropout"):
            for key, module in holder.items():
                if isinstance(module, nn.Dropout) and module.p and next(model.parameters()).device.type == "cpu":
                    holder[key] = BitDropout(module.p)
                found.append(holder[key].eval())
                layer = model.get_submodule(name.rpartition(".")[0])
                if layer.use_dora.get(key) and not isinstance(holder[key], nn.Identity):
                    found.append(layer.eval())  # DoRA's layer asks itself, not its dropout, whether it trains
    return found
