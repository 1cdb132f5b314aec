"""Adapters that mlx-lm wrote: `0000300_adapters.safetensors` with `adapter_config.json` beside it."""

import json
from pathlib import Path
from typing import Any

from peft import LoraConfig
from safetensors.torch import load_file

from poetune.errors import EngineError


def is_mlx(path: Path) -> bool:
    """Whether a path names an mlx-lm adapter: one of its files, or a folder with `adapters.safetensors`."""
    return path.name.endswith("adapters.safetensors") or (path / "adapters.safetensors").is_file()


def read_mlx(path: Path) -> tuple[Any, dict[str, Any]]:
    """peft's configuration and tensors for an mlx-lm adapter. mlx-lm's scale is alpha/rank; its A and B lie transposed.

    Raises:
        EngineError: the file or its configuration is missing, or it holds something other than LoRA.
    """
    file = path / "adapters.safetensors" if path.is_dir() else path
    beside = file.parent / "adapter_config.json"
    if not file.is_file() or not beside.is_file():
        raise EngineError(f"{file}: the adapter or the adapter_config.json beside it is missing; copy both")
    settings = json.loads(beside.read_text("utf-8"))
    if settings.get("fine_tune_type", "lora") != "lora":
        raise EngineError(f"{beside}: fine_tune_type {settings['fine_tune_type']!r} cannot be read; only lora can")
    tensors: dict[str, Any] = {}
    modules, ranks = set(), set()
    for name, tensor in load_file(file).items():
        module, _, kind = name.rpartition(".")
        if kind not in ("lora_a", "lora_b"):
            raise EngineError(f"{file}: {name} is no LoRA tensor; only lora adapters can be read")
        modules.add(module)
        ranks.add(min(tensor.shape) if kind == "lora_a" else tensor.shape[0])
        tensors[f"base_model.model.{module}.lora_{kind[-1].upper()}.weight"] = tensor.T.contiguous().float()
    if len(ranks) != 1:
        raise EngineError(f"{file}: its ranks differ ({sorted(ranks)}); only one rank can be read")
    rank = int(ranks.pop())
    scale = float(settings.get("lora_parameters", {}).get("scale", settings.get("scale", 20.0)))
    config = LoraConfig(task_type="CAUSAL_LM", r=rank, lora_alpha=scale * rank, target_modules=sorted(modules))
    return config, tensors
