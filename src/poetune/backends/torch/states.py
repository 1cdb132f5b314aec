"""The boundary cache in torch's tensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file

from poetune.backends.states import StateFiles


class States(StateFiles):
    """Entries as torch tensors on the CPU."""

    def __init__(self, cache: Path, key: str) -> None:
        super().__init__(cache, key, _open, _save)


def _open(path: Path) -> Any:
    return safe_open(path, "pt")


def _save(tensors: Mapping[str, Any], path: Path, metadata: Mapping[str, str]) -> None:
    save_file({name: each.cpu().contiguous() for name, each in tensors.items()}, path, dict(metadata))
