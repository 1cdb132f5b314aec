"""Continuous batching for Llama-like models: a poem that ends leaves its slot, and the next one takes it at once.

Prompts are read end to end without padding; each slot has its keys and values at places 0, 1, 2, ... of its own, so a
row that enters moves nobody. The layers are those of `stack`, on merged weights.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from poetune.backends.torch.pieces import SwiGlu
from poetune.backends.torch.stack import Stack, linear, norm, turn

Read = Callable[[Any, Any, Any, float], Any]
_ROOM = 64  # places that the buffers grow by, at least


class Slots:
    """Keys and values of `count` rows, and one step of the decoder for all of them."""

    def __init__(self, decoder: Any, count: int) -> None:
        self.decoder, self.stack, self.count = decoder, Stack(decoder, 0), count
        weight = decoder.norm.weight
        self.device, self.dtype = weight.device, weight.dtype
        self.lengths = torch.zeros(count, dtype=torch.long, device=self.device)
        self._layers: list[tuple[Any, Any]] = []
        self._room = 0

    def _grow(self, need: int) -> None:
        """Room for `need` places in each slot."""
        if need <= self._room:
            return
        room = max(need + _ROOM, self._room * 5 // 4)
        shape = self.count, self.decoder.config.num_key_value_heads, room, self.stack.head_dim
        grown = []
        for number in range(len(self.decoder.layers)):
            make = (
                torch.empty if self.device.type == "cpu" else torch.zeros
            )  # masked places are read, so must be finite
            pair = tuple(make(shape, dtype=self.dtype, device=self.device) for _ in "kv")
            if self._layers:
                for new, old in zip(pair, self._layers[number], strict=True):
                    new[:, :, : self._room] = old
                self._layers[number] = pair  # the old one goes before the next layer's new one comes
            grown.append(pair)
        self._layers, self._room = grown, room

    def enter(self, slots: Sequence[int], prompts: Sequence[Sequence[int]]) -> Any:
        """Read prompts into free slots; the last hidden states (rows, size) of each."""
        lengths = [len(prompt) for prompt in prompts]
        self._grow(max(lengths) + 1)
        ids = torch.tensor([i for prompt in prompts for i in prompt], device=self.device)
        last = torch.tensor(lengths, device=self.device).cumsum(0) - 1

        def keep(number: int, key: Any, value: Any) -> None:
            for slot, k, v in zip(slots, key.split(lengths), value.split(lengths), strict=True):
                for buffer, given in zip(self._layers[number], (k, v), strict=True):
                    buffer[slot, :, : len(given)] = given.transpose(0, 1)

        hidden = self.stack(self.decoder.embed_tokens(ids), lengths, last, keep)
        self.lengths[torch.tensor(list(slots), device=self.device)] = torch.tensor(lengths, device=self.device)
        return hidden

    def step(self, slots: Any, tokens: Any) -> Any:
        """Read one token (rows,) in each of `slots` (rows,): hidden states (rows, size)."""
        at = self.lengths[slots]
        self._grow(int(at.max()) + 1)
        x = self.decoder.embed_tokens(tokens)
        cos, sin = self.decoder.rotary_emb(x[None], at[None])
        cos, sin = cos[0, :, None, :].to(x.dtype), sin[0, :, None, :].to(x.dtype)
        read = self._row_by_row(slots, at) if self.device.type == "cpu" else self._all_at_once(slots, at)
        for layer, buffers in zip(self.decoder.layers, self._layers, strict=True):
            x = self._layer(layer, x, cos, sin, slots, at, buffers, read)
        self.lengths[slots] = at + 1
        return norm(self.decoder.norm, x)

    def _row_by_row(self, slots: Any, at: Any) -> Read:
        """Each row attends to its own places: on a CPU cheaper than places of the longest row for all."""
        places = list(zip(slots.tolist(), (at + 1).tolist(), strict=True))

        def read(query: Any, keys: Any, values: Any, scale: float) -> Any:
            out = torch.empty_like(query)
            for i, (slot, length) in enumerate(places):
                key, value = keys[slot : slot + 1, :, :length], values[slot : slot + 1, :, :length]
                out[i] = functional.scaled_dot_product_attention(query[i : i + 1], key, value, scale=scale)[0]
            return out

        return read

    def _all_at_once(self, slots: Any, at: Any) -> Read:
        """One call for all rows, with a mask over the places that a row does not have."""
        longest = int(at.max()) + 1
        seen = (torch.arange(longest, device=self.device) <= at[:, None])[:, None, None, :]
        every = len(slots) == self.count  # then no slot need be gathered

        def read(query: Any, keys: Any, values: Any, scale: float) -> Any:
            keys, values = (each[:, :, :longest] if every else each[slots, :, :longest] for each in (keys, values))
            return functional.scaled_dot_product_attention(query, keys, values, attn_mask=seen, scale=scale)

        return read

    def _layer(
        self,
        layer: Any,
        x: Any,
        cos: Any,
        sin: Any,
        slots: Any,
        at: Any,
        buffers: tuple[Any, Any],
        read: Read,
    ) -> Any:
        attention, size = layer.self_attn, self.stack.head_dim
        normed = norm(layer.input_layernorm, x)
        query, key, value = (
            linear(each, normed).unflatten(-1, (-1, size))
            for each in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        if hasattr(attention, "q_norm"):
            query, key = norm(attention.q_norm, query), norm(attention.k_norm, key)
        query, key = turn(query, cos, sin), turn(key, cos, sin)
        for buffer, new in zip(buffers, (key, value), strict=True):
            buffer[slots, :, at] = new
        # The heads that share a key are its queries: (rows, shared heads, queries, size), so no key is copied.
        grouped = query.unflatten(1, (buffers[0].shape[1], -1))
        x = x + linear(attention.o_proj, read(grouped, *buffers, attention.scaling).flatten(1))
        mlp = layer.mlp
        normed = norm(layer.post_attention_layernorm, x)
        return x + linear(mlp.down_proj, SwiGlu.apply(linear(mlp.gate_proj, normed), linear(mlp.up_proj, normed)))
