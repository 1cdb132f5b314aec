"""Linear modules that read the same input, as one product: their weights are laid end to end in memory."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def plain(decoder: Any) -> bool:
    """Whether every linear module of the decoder's layers is one of torch's own, so that weights may be joined."""
    parts = (part for layer in decoder.layers for part in (layer.self_attn, layer.mlp))
    return all(type(m) is nn.Linear for part in parts for name, m in part.named_children() if name.endswith("_proj"))


def joined(modules: Sequence[Any]) -> tuple[Any, Any]:
    """One weight (all outputs, inputs) and bias (or None) for modules with the same inputs.

    The modules' own weights become views of it, so that nothing is kept twice and what changes them changes it.
    """
    weight = _joined([module.weight for module in modules])
    biases = [module.bias for module in modules]
    if all(bias is None for bias in biases):
        return weight, None
    if any(bias is None for bias in biases):
        return weight, torch.cat(
            [
                torch.zeros(len(module.weight), dtype=weight.dtype, device=weight.device) if bias is None else bias
                for module, bias in zip(modules, biases, strict=True)
            ]
        )
    return weight, _joined(biases)


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
