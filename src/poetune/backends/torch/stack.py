"""The upper decoder layers of Llama-like models, run over rows laid end to end: nothing padded, nothing done twice.

Same arithmetic as transformers' Llama, Qwen2, Qwen3 and Mistral layers, in fewer passes over memory. Frozen weights get
no gradient, the top layer runs past its keys and values only where a token is supervised, and the lowest layer sends
nothing down. The weights stay in the modules of the model, which peft wraps and saves as ever.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from poetune.backends.torch.pieces import GluLinear, LoraLinear, RmsNorm, SwiGlu

FAMILIES = frozenset({"llama", "qwen2", "qwen3", "mistral"})


def unfit(decoder: Any) -> str:
    """Why a decoder's layers cannot run here; "" where they can."""
    config = decoder.config
    if config.model_type not in FAMILIES:
        return f"{config.model_type} layers run as transformers has them"
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"} or (config.model_type == "mistral" and config.sliding_window):
        return "attention over a sliding window runs as transformers has it"
    if config.hidden_act != "silu":
        return f"{config.hidden_act} layers run as transformers has them"
    return ""


def head_size(config: Any) -> int:
    """Numbers in a head's key."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


class Stack:
    """Layers `first` to the top, and the last norm, of a decoder."""

    def __init__(self, decoder: Any, first: int) -> None:
        self.decoder, self.first = decoder, first
        config = decoder.config
        self.head_dim = head_size(config)
        self.groups = config.num_attention_heads // config.num_key_value_heads

    def __call__(self, states: Any, lengths: Sequence[int], wanted: Any, shared: int = 0) -> Any:
        """Normed hidden states (len(wanted), size) of the tokens `wanted`.

        `states` (tokens, size) enter layer `first`: `shared` tokens that stand before every row, then the rows, of
        `lengths` tokens; `wanted` is a long tensor.
        """
        cos, sin = self._places(states, lengths, shared)
        layers = self.decoder.layers[self.first :]
        for number, layer in enumerate(layers, 1):
            states = self._layer(layer, states, cos, sin, lengths, shared, wanted if number == len(layers) else None)
        return norm(self.decoder.norm, states)

    def one(self, layer: Any, states: Any, lengths: Sequence[int], shared: int = 0) -> Any:
        """The states (tokens, size) after one layer."""
        return self._layer(layer, states, *self._places(states, lengths, shared), lengths, shared, None)

    def _places(self, states: Any, lengths: Sequence[int], shared: int) -> tuple[Any, Any]:
        cos, sin = self.decoder.rotary_emb(states[None], positions(lengths, shared, states.device)[None])
        return cos[0, :, None, :].to(states.dtype), sin[0, :, None, :].to(states.dtype)

    def _layer(
        self,
        layer: Any,
        states: Any,
        cos: Any,
        sin: Any,
        lengths: Sequence[int],
        shared: int,
        wanted: Any,
    ) -> Any:
        attention = layer.self_attn
        normed = norm(layer.input_layernorm, states)
        query, key, value = (
            linear(each, normed).unflatten(-1, (-1, self.head_dim))
            for each in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        if hasattr(attention, "q_norm"):
            query, key = norm(attention.q_norm, query), norm(attention.k_norm, key)
        query, key = turn(query, cos, sin), turn(key, cos, sin)
        read = attend(query, key, value, lengths, attention.scaling, shared)
        if wanted is not None:
            read, states = read[wanted], states[wanted]
        states = states + linear(attention.o_proj, read)
        mlp = layer.mlp
        normed = norm(layer.post_attention_layernorm, states)
        return states + glu(mlp.down_proj, linear(mlp.gate_proj, normed), linear(mlp.up_proj, normed))


def attend(
    query: Any, key: Any, value: Any, lengths: Sequence[int], scale: float, shared: int = 0, window: int = 0
) -> Any:
    """Causal attention within each row and to the shared tokens: (tokens, heads, size) to (tokens, heads * size).

    With a window, a token reads itself and the `window - 1` tokens before it.
    """
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    if query.device.type != "cpu":  # one call, not one a row
        return _attend(query, key, value, scale, readable(lengths, shared, query.device, window)).flatten(1)
    (before, *queries), (first, *keys), (begun, *values) = (
        each.split([shared, *lengths]) for each in (query, key, value)
    )
    read = [_attend(before, first, begun, scale, _earlier(0, shared, window))] if shared else []
    for q, k, v in zip(queries, keys, values, strict=True):
        if shared:
            k, v = torch.cat((first, k)), torch.cat((begun, v))
        read.append(_attend(q, k, v, scale, _earlier(shared, len(q), window)))
    return torch.cat(read).flatten(1)


def _earlier(shared: int, own: int, window: int) -> Any:
    """Mask (own, shared + own) of what a row's tokens may read; None where plain causality says it."""
    if not shared and not 0 < window < own:
        return None
    mask = torch.ones((own, shared + own), dtype=torch.bool).tril_(shared)
    return mask.triu_(shared - window + 1) if window else mask


def _attend(query: Any, key: Any, value: Any, scale: float, mask: Any) -> Any:
    query, key, value = (each.transpose(0, 1)[None] for each in (query, key, value))
    read = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=mask is None, scale=scale
    )
    return read[0].transpose(0, 1)


def readable(lengths: Sequence[int], shared: int, device: Any, window: int = 0) -> Any:
    """Mask (tokens, tokens): which earlier tokens, of its own row or shared, a token may read."""
    row = torch.repeat_interleave(torch.arange(1 + len(lengths)), torch.tensor([shared, *lengths])).to(device)
    mask = ((row[:, None] == row[None, :]) | (row == 0)).tril()
    if window:
        at = positions(lengths, shared, device)
        mask &= at[:, None] - at[None, :] < window
    return mask


def positions(lengths: Sequence[int], shared: int, device: Any) -> Any:
    """Positions (tokens,) of shared tokens and of the rows that each go on from them."""
    runs = [(0, shared), *((shared, shared + n) for n in lengths)]
    return torch.cat([torch.arange(*run, device=device) for run in runs])


def turn(x: Any, cos: Any, sin: Any) -> Any:
    """Rotary positions: (tokens, heads, size) with cos and sin (tokens, 1, size)."""
    low, high = x.chunk(2, -1)
    return x * cos + torch.cat((-high, low), -1) * sin


def norm(module: Any, x: Any) -> Any:
    """A root-mean-square norm."""
    weight = module.weight
    eps = getattr(module, "variance_epsilon", None) or module.eps
    if weight.requires_grad:
        return functional.rms_norm(x, (x.shape[-1],), weight, eps)
    return RmsNorm.apply(x, weight, eps)


def glu(module: Any, gate: Any, up: Any) -> Any:
    """The lower product of a gated layer: module(silu(gate) * up)."""
    if _plain_lora(module) and not _drops(module):
        return GluLinear.apply(gate, up, module.base_layer.weight, module.base_layer.bias, *_lora(module))
    return linear(module, SwiGlu.apply(gate, up))


def linear(module: Any, x: Any) -> Any:
    """A linear module, or one with a plain LoRA on it; any other kind runs its own forward."""
    if type(module) is nn.Linear:
        return functional.linear(x, module.weight, module.bias)
    if not _plain_lora(module):
        return module(x)
    base, dropout = module.base_layer, module.lora_dropout["default"]
    dropped = dropout(x) if _drops(module) else None
    return LoraLinear.apply(x, dropped, base.weight, base.bias, *_lora(module))


def _lora(module: Any) -> tuple[Any, Any, float]:
    return module.lora_A["default"].weight, module.lora_B["default"].weight, module.scaling["default"]


def _drops(module: Any) -> bool:
    dropout = module.lora_dropout["default"]
    return dropout.training and not isinstance(dropout, nn.Identity)


def _plain_lora(module: Any) -> bool:
    return (
        list(getattr(module, "lora_A", ())) == ["default"]
        and type(module.base_layer) is nn.Linear
        and not module.base_layer.weight.requires_grad
        and (module.base_layer.bias is None or not module.base_layer.bias.requires_grad)
        and not module.lora_variant
        and not module.lora_bias["default"]
        and module.active_adapters == ["default"]
        and not module.merged
        and not module.disable_adapters
    )
