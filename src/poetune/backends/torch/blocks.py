"""How the decoders that write as a queue are built: what their parts are called, and what a layer attends to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers.pytorch_utils import Conv1D

from poetune.backends.torch.placeholders import layers_of


@dataclass(frozen=True, slots=True)
class Block:
    """Names in a decoder and in its layers: a norm, then attention, another norm, then a product wider and one back.

    One module in `read` makes queries, keys and values, or three do. Two in `wide`: the first gates the second.
    `places` is the table of learned positions; where it is "", queries and keys are turned instead.
    """

    norms: tuple[str, str]
    attention: str
    read: tuple[str, ...]
    out: str
    wide: tuple[str, ...]
    down: str
    act: str
    last: str
    places: str = ""

    @property
    def products(self) -> Iterator[str]:
        """Paths, within a layer, of all modules that are matrix products."""
        return (f"{part}.{name}" for part, names in self._parts() for name in names)

    def _parts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return (self.attention, (*self.read, self.out)), ("mlp", (*self.wide, self.down))


_QKV = ("q_proj", "k_proj", "v_proj")
_LLAMA = Block(
    ("input_layernorm", "post_attention_layernorm"), "self_attn", _QKV, "o_proj",
    ("gate_proj", "up_proj"), "down_proj", "act_fn", "norm",
)  # fmt: skip
_GPT2 = Block(("ln_1", "ln_2"), "attn", ("c_attn",), "c_proj", ("c_fc",), "c_proj", "act", "ln_f", "wpe")
_NEO = Block(("ln_1", "ln_2"), "attn.attention", _QKV, "out_proj", ("c_fc",), "c_proj", "act", "ln_f", "wpe")
BLOCKS = {"llama": _LLAMA, "mistral": _LLAMA, "qwen2": _LLAMA, "qwen3": _LLAMA, "gpt2": _GPT2, "gpt_neo": _NEO}


def block_of(decoder: Any) -> Block | None:
    """The description of a decoder; None where there is none, or where it has parts that this one does not name."""
    config = decoder.config
    block = BLOCKS.get(config.model_type)
    if block is None or getattr(config, "add_cross_attention", False):
        return None
    if not set(getattr(config, "layer_types", None) or ()) <= {"full_attention", "sliding_attention"}:
        return None
    every = (layer.get_submodule(path) for layer in layers_of(decoder) for path in block.products)
    return block if all(type(each) in (nn.Linear, Conv1D) for each in every) else None


def windows(config: Any) -> list[int]:
    """For each layer how many tokens a token may read, its own and those just before; 0: all."""
    kinds = getattr(config, "attention_layers", None)
    if kinds is not None:
        return [config.window_size if kind == "local" else 0 for kind in kinds]
    span = getattr(config, "sliding_window", None) or 0
    kinds = getattr(config, "layer_types", None)
    if kinds is None:
        return [span if config.model_type == "mistral" else 0] * config.num_hidden_layers
    return [span if kind == "sliding_attention" else 0 for kind in kinds]
