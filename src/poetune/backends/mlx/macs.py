"""What the large bases need on a Mac: the table of docs/mac.md, computed from published shapes, nothing loaded."""

from collections.abc import Mapping
from typing import Any

import mlx.core as mx

from poetune.backends.mlx.needs import memory, writing
from poetune.recipe import Training

BATCH, TOKENS, LEARNED = 4, 256, 200  # rows a call, tokens a row, of which so many are the poem's
POEMS, WRITTEN = 16, 300  # poems written together, and positions of each
_COMMON = {"model_type": "qwen2", "rms_norm_eps": 1e-6, "tie_word_embeddings": False, "vocab_size": 152064}
SIZES: Mapping[str, Mapping[str, Any]] = {
    name: {
        **_COMMON,
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": shared,
    }
    for name, hidden, inner, layers, heads, shared in (
        ("Qwen2.5 7B", 3584, 18944, 28, 28, 4),
        ("Qwen2.5 14B", 5120, 13824, 48, 40, 8),
        ("Qwen2.5 32B", 5120, 27648, 64, 40, 8),
    )
}


def row(name: str, bits: int, layers: int) -> tuple[str, str, str]:
    """GB (10^9 bytes) to train with the cache, to train without it, and to write."""
    config = {**SIZES[name], "quantization": {"group_size": 64, "bits": bits}}
    asked = Training(layers=layers, rank=8, batch=BATCH)
    kinds = [memory(config, asked, TOKENS, LEARNED, mx.bfloat16, caches=caches).total for caches in (True, False)]
    kinds.append(writing(config, POEMS, WRITTEN, mx.bfloat16))
    first, second, third = (f"{each / 1e9:.0f}" for each in kinds)
    return first, second, third


def table() -> str:
    """The rows as Markdown."""
    lines = [
        "| base | bits | last layers | to train, GB | without the cache, GB | to write, GB |",
        "|---|---|---|---|---|---|",
    ]
    for name in SIZES:
        for bits in (4, 8):
            for layers in (12, 16):
                lines.append(f"| {name} | {bits} | {layers} | " + " | ".join(row(name, bits, layers)) + " |")
    return "\n".join(lines) + "\n"
