"""Linear modules that read the same input, as one product: their weights are laid end to end in memory."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

_SMALL = 1 << 20  # weights in all


def weight_of(module: Any) -> Any:
    """The weights (outputs, inputs), whichever way round the module keeps them."""
    return module.weight.t() if isinstance(module, Conv1D) else module.weight


class Product:
    """Modules that read the same input. Small ones are one product, which saves calls; large ones gain nothing by that.

    What is joined is copied out of the file that it was mapped from, so large weights stay as they are. The modules'
    own weights become views of the joined one: nothing is kept twice, and what changes them changes it.
    """

    def __init__(self, modules: Sequence[Any]) -> None:
        joins = len(modules) > 1 and all(type(module) is nn.Linear for module in modules)
        joins = joins and sum(module.weight.numel() for module in modules) <= _SMALL
        joins = joins and len({module.bias is None for module in modules}) == 1
        self._parts = [(weight_of(module), module.bias) for module in modules]
        self.sizes = [len(weight) for weight, _ in self._parts]
        if joins:
            bias = None if modules[0].bias is None else _joined([module.bias for module in modules])
            self._parts = [(_joined([module.weight for module in modules]), bias)]

    def __call__(self, x: Any) -> Any:
        """All outputs (tokens, sum of sizes)."""
        out = [functional.linear(x, *part) for part in self._parts]
        return out[0] if len(out) == 1 else torch.cat(out, 1)

    def each(self, x: Any) -> Sequence[Any]:
        """The outputs of each module."""
        out = [functional.linear(x, *part) for part in self._parts]
        return out[0].split(self.sizes, 1) if len(out) < len(self.sizes) else out


def _joined(parameters: Sequence[Any]) -> Any:
    first = parameters[0].data
    rows = sum(len(each) for each in parameters)
    if _follow(parameters):
        return torch.as_strided(first, (rows, *first.shape[1:]), first.stride(), first.storage_offset())
    whole = torch.cat([each.data for each in parameters])
    for parameter, part in zip(parameters, whole.split([len(each) for each in parameters]), strict=True):
        parameter.data = part
    return whole


def _follow(parameters: Sequence[Any]) -> bool:
    """Whether they lie in one piece of memory, each where the one before it ends."""
    at = parameters[0].data_ptr()
    home = parameters[0].untyped_storage().data_ptr()
    for each in parameters:
        if each.data_ptr() != at or each.untyped_storage().data_ptr() != home or not each.is_contiguous():
            return False
        at += each.numel() * each.element_size()
    return True
