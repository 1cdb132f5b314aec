"""Adapters on disk that mlx can wear: mlx-lm's folders and step files, and peft's."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx

from poetune.backends import crossing
from poetune.errors import EngineError


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


def read(path: Path) -> Saved:
    """An adapter of either format.

    Raises:
        EngineError: a file is missing or damaged, or the adapter is of a kind that mlx-lm has not.
    """
    try:
        return _read(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise EngineError(f"{path}: the adapter cannot be read ({reason}); copy all of its files") from error


def _read(path: Path) -> Saved:
    file, config = crossing.files_of(path)
    found = tensors(file)
    if not crossing.is_mlx(path):
        config, moved = crossing.to_mlx(path, config, found)
        found = {there: _turned(found[name]) if turns else found[name] for name, (there, turns) in moved.items()}
    elif config.get("fine_tune_type", "lora") not in ("lora", "dora"):
        raise EngineError(f"{path}: fine_tune_type {config['fine_tune_type']!r} is no adapter; only lora and dora are")
    return Saved(path, config, found)


def _turned(tensor: Any) -> Any:
    return mx.contiguous(tensor.T)
