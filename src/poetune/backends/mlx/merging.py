"""Whole models on disk, as transformers names and lays out their tensors: merged adapters, full checkpoints."""

import json
import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.utils import dequantize_model, make_shards

from poetune.backends import checkpoints
from poetune.backends.bases import copy_tokenizer
from poetune.backends.mlx import adapters, formats, loading
from poetune.backends.mlx.loading import Base
from poetune.errors import EngineError

_RELAID = ("gpt2", "gpt_bigcode", "gpt_neox")  # families whose tensors mlx-lm renames or turns on loading


def merge(folder: Path, adapter: Path | None, out: Path) -> None:
    """Write base + adapter into `out` in full precision: bf16 where the base is kept in it, else fp32.

    A quantized base is dequantized; nothing is ever merged into 4 or 8 bit.

    Raises:
        EngineError: the adapter does not fit, or `out` is not empty.
    """
    whole = adapter is not None and checkpoints.is_whole(adapter)
    source = adapter if adapter is not None and whole else folder
    config = loading.check(source)
    kept = str(config.get("dtype", config.get("torch_dtype"))).rsplit(".", 1)[-1]
    base = loading.load(source, mx.bfloat16 if kept == "bfloat16" else mx.float32, lazy=True)
    if adapter is not None and not whole:
        adapters.put_on_saved(base.model, formats.read(adapter))
        fused = [(n, m.fuse(dequantize=True)) for n, m in base.model.named_modules() if hasattr(m, "fuse")]
        base.model.update_modules(tree_unflatten(fused))

    def fill(aside: Path) -> None:
        save_model(base, aside)
        copy_tokenizer(folder, aside)

    checkpoints.publish(out, fill)


def save_model(base: Base, folder: Path) -> None:
    """Tensors, config and generation config, readable by transformers.

    Raises:
        EngineError: mlx-lm rearranges this architecture's tensors in a way that cannot be undone.
    """
    if loading.kept_bits(base.config):
        dequantize_model(base.model)
    names = _theirs(base)
    weights = {}
    for name, weight in tree_flatten(base.model.parameters()):
        if name not in names:
            raise EngineError(
                f"{base.folder}: mlx cannot write {name} back as transformers lays it out; merge on torch"
            )
        theirs, turned = names[name]
        weights[theirs] = mx.contiguous(weight.T if turned else weight)
    kinds = {str(weight.dtype).rsplit(".", 1)[-1] for weight in weights.values()}
    _write(weights, folder)
    config = json.loads((base.folder / "config.json").read_text("utf-8"))
    for key in ("quantization", "quantization_config", "torch_dtype"):
        config.pop(key, None)
    config["dtype"] = "bfloat16" if kinds == {"bfloat16"} else "float32"
    (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if (base.folder / "generation_config.json").is_file():
        shutil.copyfile(base.folder / "generation_config.json", folder / "generation_config.json")


def read_weights(base: Base, folder: Path) -> dict[str, Any]:
    """The weights of a full checkpoint by mlx-lm's names."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= formats.tensors(path)
    found = base.model.sanitize(found) if hasattr(base.model, "sanitize") else found
    wanted = {name for name, _ in tree_flatten(base.model.parameters())}
    if set(found) != wanted:
        raise EngineError(f"{folder}: its tensors do not fit the model; remove it and resume from the one before")
    return found


def _theirs(base: Base) -> dict[str, tuple[str, bool]]:
    """For each of mlx-lm's names the one on disk, and whether the tensor is turned: each is loaded alone to see."""
    if loading.kept_bits(base.config) and base.config["model_type"] in _RELAID:
        raise EngineError(
            f"{base.folder}: a quantized {base.config['model_type']} cannot be merged; name the full base"
        )
    out: dict[str, tuple[str, bool]] = {}
    for path in sorted(base.folder.glob("model*.safetensors")):
        for name, tensor in formats.tensors(path).items():
            if name.endswith((".scales", ".biases")):
                continue
            probe = mx.zeros((2, 3) if tensor.ndim == 2 else tensor.shape)
            try:
                loaded = base.model.sanitize({name: probe}) if hasattr(base.model, "sanitize") else {name: probe}
            except (KeyError, ValueError, IndexError):
                continue
            for ours, seen in loaded.items():
                out[ours] = name, tensor.ndim == 2 and seen.shape == (3, 2)
    return out


def _write(weights: dict[str, Any], folder: Path) -> None:
    """One file, or several of at most 5 GB with their index."""
    shards = make_shards(weights)
    index: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        one = "model.safetensors" if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        mx.save_safetensors(str(folder / one), shard, {"format": "pt"})
        index |= dict.fromkeys(shard, one)
    if len(shards) > 1:
        total = sum(weight.nbytes for weight in weights.values())
        told = {"metadata": {"total_size": total}, "weight_map": dict(sorted(index.items()))}
        (folder / "model.safetensors.index.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
