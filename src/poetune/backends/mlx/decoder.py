"""A model of mlx-lm taken apart: decoder and head, and for some families embeddings and layers one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx_lm.models.base import create_attention_mask


@dataclass(frozen=True, slots=True)
class Family:
    """Names inside `model.model`: the table of embeddings, the list of layers, the last norm, learned positions."""

    table: str
    layers: str
    norm: str
    positions: str = ""


# Architectures whose layers read nothing from below but the states handed up to them.
FAMILIES = {
    "llama": Family("embed_tokens", "layers", "norm"),
    "mistral": Family("embed_tokens", "layers", "norm"),
    "qwen2": Family("embed_tokens", "layers", "norm"),
    "qwen3": Family("embed_tokens", "layers", "norm"),
    "gpt2": Family("wte", "h", "ln_f", "wpe"),
}


def family_of(model: Any, config: dict[str, Any]) -> Family | None:
    """The family of a model; None where its layers cannot be called one by one, or some see a window only."""
    if any(getattr(layer, "use_sliding", False) for layer in model.layers):
        return None
    return FAMILIES.get(str(config.get("model_type")))


class Decoder:
    """Embeddings, layers and norm of a model of a known family; states are (rows, tokens, size)."""

    def __init__(self, model: Any, family: Family) -> None:
        self.inner, self.family = model.model, family

    @property
    def layers(self) -> list[Any]:
        """The list that the model itself runs."""
        found: list[Any] = getattr(self.inner, self.family.layers)
        return found

    def embed(self, ids: Any) -> Any:
        """What enters layer 0, from ids (rows, tokens)."""
        states = getattr(self.inner, self.family.table)(ids)
        if self.family.positions:
            states = states + getattr(self.inner, self.family.positions)(mx.arange(ids.shape[1]))
        return states

    def run(self, states: Any, layers: list[Any]) -> Any:
        """States after some layers; rows are padded on the right, and no real token looks to its right."""
        mask = create_attention_mask(states)
        for layer in layers:
            states = layer(states, mask, cache=None)
        return states

    def upper(self, states: Any, first: int) -> Any:
        """From what enters layer `first` to what the head reads."""
        return getattr(self.inner, self.family.norm)(self.run(states, self.layers[first:]))


def head_of(model: Any, config: dict[str, Any]) -> Callable[[Any], Any] | None:
    """What makes logits of the decoder's states; None where the model does more between (scales, caps)."""
    inner = getattr(model, "model", None)
    if inner is None:
        return None
    table = next((t for name in ("embed_tokens", "wte") if (t := getattr(inner, name, None)) is not None), None)
    head: Callable[[Any], Any] | None = getattr(model, "lm_head", None) or getattr(table, "as_linear", None)
    if head is None or str(config.get("model_type")) in FAMILIES:
        return head
    ids = mx.array([[1, 2, 3]])
    try:
        whole, apart = model(ids), head(inner(ids))
        same = whole.shape == apart.shape and bool(mx.allclose(whole, apart, rtol=1e-3, atol=1e-4))
    except (TypeError, ValueError, AttributeError):
        return None
    return head if same else None
