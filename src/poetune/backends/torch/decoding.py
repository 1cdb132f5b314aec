"""A decoder for writing, by its block's description: few large products, nothing kept for a backward pass."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.activations import NewGELUActivation

from poetune.backends.torch.bank import Worn
from poetune.backends.torch.blocks import Block, windows
from poetune.backends.torch.fused import Product, weight_of
from poetune.backends.torch.placeholders import layers_of
from poetune.backends.torch.stack import head_size

Attend = Callable[[Any, Any], Any]  # queries (tokens, heads, size), keys and values (tokens, 2 x shared heads, size)


class Decoder:
    """Token ids in, states through `layers`, the last norm out; `shared` heads of keys, each of `size` numbers."""

    def __init__(self, module: Any, block: Block) -> None:
        config = module.config
        self.size = head_size(config)
        queries = config.num_attention_heads
        self.shared = getattr(config, "num_key_value_heads", None) or queries
        spans = windows(config)
        self.layers = [
            Layer(layer, block, (queries, self.shared, self.size), span)
            for layer, span in zip(layers_of(module), spans, strict=True)
        ]
        self._table, self._last = module.get_input_embeddings(), getattr(module, block.last)
        self._places = getattr(module, block.places) if block.places else None
        self._rotary = None if block.places else module.rotary_emb
        self.like = self._last.weight

    def embed(self, ids: Any, positions: Any) -> Any:
        """States (tokens, hidden) of ids at positions, both (tokens,)."""
        x = self._table(ids)
        return x if self._places is None else x + self._places(positions)

    def turns(self, x: Any, positions: Any) -> tuple[Any, Any] | None:
        """Cosines and sines (tokens, 1, size) by which queries and keys are turned; None where none are."""
        if self._rotary is None:
            return None
        cos, sin = self._rotary(x[None], positions[None])
        return cos[0, :, None, :].to(x.dtype), sin[0, :, None, :].to(x.dtype)

    def finish(self, x: Any) -> Any:
        """The last norm of states (tokens, hidden)."""
        return norm(self._last, x)


class Layer:
    """A decoder layer's weights, joined. `heads`: of queries, of keys, and their size; `window`: see `windows`."""

    def __init__(self, module: Any, block: Block, heads: tuple[int, int, int], window: int) -> None:
        self.block, self.window = block, window
        self._queries, shared, self._size = heads
        self._turned = self._queries + shared
        self._norms = [getattr(module, name) for name in block.norms]
        attention = self._attention = module.get_submodule(block.attention)
        self.scale = getattr(attention, "scaling", 1.0)  # GPT-Neo has none: it does not scale
        self._read = Product([getattr(attention, name) for name in block.read])
        self._wide = Product([getattr(module.mlp, name) for name in block.wide])
        self._out, self._down = getattr(attention, block.out), getattr(module.mlp, block.down)
        self._act = _act(getattr(module.mlp, block.act))

    def __call__(self, x: Any, turns: tuple[Any, Any] | None, attend: Attend, wanted: Any, worn: Worn | None) -> Any:
        """States (tokens, hidden) to states; with `wanted`, of those tokens only past the keys and values."""
        block = self.block
        normed = norm(self._norms[0], x)
        flat = self._read(normed)
        if worn is not None:
            for name, part in zip(block.read, flat.split(self._read.sizes, 1), strict=True):
                worn.add(f"{block.attention}.{name}", normed, part)
        heads = flat.unflatten(1, (-1, self._size))
        queries, turned = self._queries, self._turned
        if hasattr(self._attention, "q_norm"):
            heads[:, :queries] = norm(self._attention.q_norm, heads[:, :queries])
            heads[:, queries:turned] = norm(self._attention.k_norm, heads[:, queries:turned])
        if turns is not None:
            heads[:, :turned] = turn(heads[:, :turned], *turns)
        read = attend(heads[:, :queries], heads[:, queries:])
        if wanted is not None:
            read, x = read[wanted], x[wanted]
            worn = worn and worn.select(wanted)
        x = self._added(x, self._out, read, f"{block.attention}.{block.out}", worn)
        normed = norm(self._norms[1], x)
        wide = self._wide.each(normed)
        if worn is not None:
            for name, part in zip(block.wide, wide, strict=True):
                worn.add(f"mlp.{name}", normed, part)
        inner = self._act(wide[0])
        return self._added(x, self._down, inner.mul_(wide[1]) if len(wide) > 1 else inner, f"mlp.{block.down}", worn)

    def _added(self, x: Any, module: Any, read: Any, name: str, worn: Worn | None) -> Any:
        out = torch.addmm(x, read, weight_of(module).t())
        if module.bias is not None:
            out += module.bias
        if worn is not None:
            worn.add(name, read, out)
        return out


def _act(module: Any) -> Callable[[Any], Any]:
    """The activation; the one that transformers computes in eight passes over memory, in one."""
    if isinstance(module, NewGELUActivation):
        return lambda x: functional.gelu(x, approximate="tanh")
    return module  # type: ignore[no-any-return]


def norm(module: Any, x: Any) -> Any:
    """A layer norm, or a root-mean-square norm computed in fp32, over the last dimension."""
    if isinstance(module, nn.LayerNorm):
        return functional.layer_norm(x, module.normalized_shape, module.weight, module.bias, module.eps)
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
