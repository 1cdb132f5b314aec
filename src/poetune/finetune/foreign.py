"""Checkpoints that other tools left, as files named by their step: `0000300_adapters.safetensors`."""

import re
from pathlib import Path

from poetune.errors import EngineError

_NAME = re.compile(r"(\d+)_adapters\.safetensors")


def foreign_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Steps and absolute paths of the adapters in a folder, by step.

    Raises:
        EngineError: the folder holds none, lacks the adapter_config.json that they need, or has a step twice.
    """
    found = sorted(
        (int(match[1]), path.resolve())
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := _NAME.fullmatch(path.name)) and path.is_file()
    )
    if not found:
        raise EngineError(f"{folder}: holds no file named like 0000300_adapters.safetensors; name the adapters' folder")
    if not (folder / "adapter_config.json").is_file():
        raise EngineError(f"{folder}: the adapters' adapter_config.json is missing; copy it beside them")
    steps = [step for step, _ in found]
    for step in steps:
        if steps.count(step) > 1:
            raise EngineError(f"{folder}: step {step} is there twice; keep one of its files")
    return found
