"""A key-value cache that grows in place and can drop rows: concatenation would copy all of it at every token."""

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of one layer, (batch, heads, length, size) views of buffers that double when they are full."""

    def __init__(self) -> None:
        super().__init__()
        self._length = 0
        self._room: tuple[Any, Any] | None = None

    def update(self, key_states: Any, value_states: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Add new positions; the whole of both is given back."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start, end = self._length, self._length + key_states.shape[-2]
        if self._room is None or end > self._room[0].shape[-2]:
            self._room = (self._grown(key_states, 0, end), self._grown(value_states, 1, end))
        keys, values = self._room
        keys[:, :, start:end] = key_states
        values[:, :, start:end] = value_states
        self._length = end
        self.keys, self.values = keys[:, :, :end], values[:, :, :end]
        return self.keys, self.values

    def _grown(self, like: Any, which: int, need: int) -> Any:
        batch, heads, _, size = like.shape
        out = torch.empty((batch, heads, max(64, 2 * need), size), dtype=like.dtype, device=like.device)
        if self._room is not None:
            out[:, :, : self._length] = self._room[which][:, :, : self._length]
        return out

    def get_seq_length(self) -> int:
        """Positions held."""
        return self._length

    def batch_select_indices(self, indices: Any) -> None:
        """Keep some rows."""
        if self._room is not None:
            self._room = (self._room[0][indices], self._room[1][indices])
            self.keys, self.values = (each[:, :, : self._length] for each in self._room)


def new_cache(config: Any) -> Any:
    """A growing cache where every layer keeps plain keys and values; None lets the model bring its own kind."""
    config = config.get_text_config(decoder=True)
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if not kinds <= {"full_attention", "sliding_attention"}:
        return None
    return Cache(layers=[GrowingLayer() for _ in range(config.num_hidden_layers)])
