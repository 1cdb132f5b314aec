"""One layer of a Llama-like decoder for writing: few large products, nothing kept for a backward pass.

Same arithmetic as `stack`, with queries, keys and values made by one product, and gate and up by another.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from poetune.backends.torch.bank import Worn
from poetune.backends.torch.fused import Product

Attend = Callable[[Any, Any], Any]  # queries (tokens, heads, size), keys and values (tokens, 2 x shared heads, size)


class Layer:
    """A decoder layer's weights, joined."""

    def __init__(self, module: Any, size: int) -> None:
        self.module, self.size = module, size
        attention, mlp = module.self_attn, module.mlp
        self.scale = attention.scaling
        self._read = Product([attention.q_proj, attention.k_proj, attention.v_proj])
        self._wide = Product([mlp.gate_proj, mlp.up_proj])
        self._out, self._down = attention.o_proj, mlp.down_proj
        self._heads = [outputs // size for outputs in self._read.sizes[:2]]

    def __call__(self, x: Any, cos: Any, sin: Any, attend: Attend, wanted: Any, worn: Worn | None) -> Any:
        """States (tokens, hidden) to states; with `wanted`, of those tokens only past the keys and values."""
        queries, shared = self._heads
        turned = queries + shared
        attention = self.module.self_attn
        normed = root_norm(self.module.input_layernorm, x)
        flat = self._read(normed)
        if worn is not None:
            at = queries * self.size, turned * self.size
            for name, part in zip("qkv", flat.tensor_split(at, 1), strict=True):
                worn.add(f"self_attn.{name}_proj", normed, part)
        heads = flat.unflatten(1, (-1, self.size))
        if hasattr(attention, "q_norm"):
            heads[:, :queries] = root_norm(attention.q_norm, heads[:, :queries])
            heads[:, queries:turned] = root_norm(attention.k_norm, heads[:, queries:turned])
        heads[:, :turned] = turn(heads[:, :turned], cos, sin)
        read = attend(heads[:, :queries], heads[:, queries:])
        if wanted is not None:
            read, x = read[wanted], x[wanted]
            worn = worn and worn.select(wanted)
        x = self._added(x, self._out, read, "self_attn.o_proj", worn)
        normed = root_norm(self.module.post_attention_layernorm, x)
        gate, up = self._wide.each(normed)
        if worn is not None:
            worn.add("mlp.gate_proj", normed, gate)
            worn.add("mlp.up_proj", normed, up)
        return self._added(x, self._down, functional.silu(gate).mul_(up), "mlp.down_proj", worn)

    def _added(self, x: Any, module: Any, read: Any, name: str, worn: Worn | None) -> Any:
        out = torch.addmm(x, read, module.weight.t())
        if module.bias is not None:
            out += module.bias
        if worn is not None:
            worn.add(name, read, out)
        return out


def root_norm(module: Any, x: Any) -> Any:
    """A root-mean-square norm over the last dimension, computed in fp32."""
    eps = getattr(module, "variance_epsilon", None) or module.eps
    wide = x.float()
    scale = torch.linalg.vector_norm(wide, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(eps).rsqrt_()
    return (wide * scale).to(x.dtype).mul_(module.weight)


def turn(x: Any, cos: Any, sin: Any) -> Any:
    """Rotary positions: (tokens, heads, size) with cos and sin (tokens, 1, size), whose halves are alike."""
    half = x.shape[-1] // 2
    out = x * cos
    out[..., :half].addcmul_(x[..., half:], sin[..., :half], value=-1)
    out[..., half:].addcmul_(x[..., :half], sin[..., half:])
    return out
