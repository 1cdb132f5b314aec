"""Adapters that mlx-lm wrote: its folders, and its step files with `adapter_config.json` beside them."""

from pathlib import Path
from typing import Any

from peft import LoraConfig
from safetensors.torch import load_file

from poetune.backends import crossing

_OF_THE_FILE = ("peft_type", "base_model_name_or_path", "inference_mode")


def read_mlx(path: Path) -> tuple[Any, dict[str, Any]]:
    """peft's configuration and tensors, in fp32, for an mlx-lm adapter.

    Raises:
        EngineError: the file or its configuration is missing, or it holds something other than LoRA and DoRA.
    """
    file, config = crossing.files_of(path)
    found = load_file(file)
    told, moved = crossing.to_peft(path, config, {name: tuple(each.shape) for name, each in found.items()})
    tensors = {
        there: (found[name].T if turns else found[name]).contiguous().float() for name, (there, turns) in moved.items()
    }
    return LoraConfig(**{key: value for key, value in told.items() if key not in _OF_THE_FILE}), tensors
