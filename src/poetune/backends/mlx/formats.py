"""Adapters on disk that mlx can wear: mlx-lm's folders and step files, and peft's."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx

from poetune.errors import EngineError

_PEFT = "adapter_model.safetensors"
_PART = re.compile(r"base_model\.model\.(?P<name>.+)\.(?P<kind>lora_A|lora_B|lora_magnitude_vector)(?:\.weight)?$")
_RENAMED = (("transformer.h.", "model.h."),)  # GPT-2: what transformers calls it, what mlx-lm does


@dataclass(frozen=True, slots=True)
class Saved:
    """An adapter as mlx-lm keeps it, wherever it came from."""

    path: Path
    config: Mapping[str, Any]
    tensors: Mapping[str, Any]

    @property
    def quantize(self) -> str:
        """What was done to the base that it was trained on: no, 4bit or 8bit."""
        return str(self.config.get("quantize", "no"))


def tensors(path: Path) -> dict[str, Any]:
    """What a safetensors file holds; each is read when it is first used."""
    found: Any = mx.load(str(path))
    return dict(found)


def is_mlx(path: Path) -> bool:
    """Whether a path names an mlx-lm adapter: one of its files, or a folder with `adapters.safetensors`."""
    return path.name.endswith("adapters.safetensors") or (path / "adapters.safetensors").is_file()


def is_peft(path: Path) -> bool:
    """Whether a path is a peft adapter's folder."""
    return (path / _PEFT).is_file()


def read(path: Path) -> Saved:
    """An adapter of either format.

    Raises:
        EngineError: a file is missing or damaged, or the adapter is of a kind that mlx-lm has not.
    """
    try:
        return _read_mlx(path) if is_mlx(path) else _read_peft(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise EngineError(f"{path}: the adapter cannot be read ({reason}); copy all of its files") from error


def _read_mlx(path: Path) -> Saved:
    file = path / "adapters.safetensors" if path.is_dir() else path
    beside = file.parent / "adapter_config.json"
    if not file.is_file() or not beside.is_file():
        raise EngineError(f"{file}: the adapter or the adapter_config.json beside it is missing; copy both")
    config = json.loads(beside.read_text("utf-8"))
    if config.get("fine_tune_type", "lora") not in ("lora", "dora"):
        raise EngineError(
            f"{beside}: fine_tune_type {config['fine_tune_type']!r} is no adapter; only lora and dora can be worn"
        )
    return Saved(path, config, tensors(file))


def _read_peft(path: Path) -> Saved:
    config = json.loads((path / "adapter_config.json").read_text("utf-8"))
    if config.get("bias", "none") != "none" or config.get("modules_to_save"):
        raise EngineError(f"{path}: trained biases or whole modules beside its LoRA, which mlx cannot wear; merge it")
    if config.get("rank_pattern") or config.get("alpha_pattern"):
        raise EngineError(f"{path}: has several ranks or alphas, which mlx cannot wear; merge it on torch")
    found: dict[str, Any] = {}
    modules = set()
    for name, tensor in tensors(path / _PEFT).items():
        match = _PART.match(name)
        if match is None:
            raise EngineError(f"{path}: {name} is no LoRA or DoRA tensor; merge the adapter on torch")
        module = _renamed(match["name"])
        modules.add(module)
        kind = {"lora_A": "lora_a", "lora_B": "lora_b", "lora_magnitude_vector": "m"}[match["kind"]]
        found[f"{module}.{kind}"] = tensor if kind == "m" else mx.contiguous(tensor.T)
    rank = int(config["r"])
    scale = config["lora_alpha"] / (math.sqrt(rank) if config.get("use_rslora") else rank)
    parameters = {"rank": rank, "scale": scale, "dropout": config.get("lora_dropout", 0.0), "keys": sorted(modules)}
    kind = "dora" if config.get("use_dora") else "lora"
    return Saved(path, {"fine_tune_type": kind, "num_layers": 1, "lora_parameters": parameters}, found)


def _renamed(name: str) -> str:
    for theirs, ours in _RENAMED:
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name
