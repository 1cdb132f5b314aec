"""Weights read from safetensors files one layer at a time, so that a model need never be in memory whole.

The files are read, not mapped: pages of a mapped file count as memory for as long as anything of it is in use.
"""

import hashlib
import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from poetune.errors import EngineError

_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_SAMPLES, _SLICE = 16, 4096


class Tensors:
    """The tensors of a model folder by the names that transformers gives them.

    Raises:
        EngineError: a file is truncated, or a tensor is missing.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder, self.prefix = folder, prefix + "."
        self._places: dict[str, tuple[Path, str, list[int], int, int]] = {}
        for path in sorted(folder.glob("*.safetensors")):
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header = file.read(size)
            if len(header) < size:
                raise EngineError(f"{path}: is cut short; fetch it again")
            for name, about in json.loads(header).items():
                if name != "__metadata__":
                    start, end = about["data_offsets"]
                    self._places[name] = (path, about["dtype"], about["shape"], 8 + size + start, end - start)

    def _found(self, name: str) -> str:
        bare = name.removeprefix(self.prefix)
        for candidate in (name, bare, self.prefix + bare):
            if candidate in self._places:
                return candidate
        return ""

    def has(self, names: Iterable[str]) -> bool:
        """Whether all are there, in number formats that can be read here."""
        return all((found := self._found(name)) and self._places[found][1] in _DTYPES for name in names)

    def read(self, name: str, dtype: Any, device: Any) -> Any:
        """One tensor."""
        path, kind, shape, offset, count = self._places[self._found(name)]
        raw = torch.empty(count, dtype=torch.uint8)
        view, done = memoryview(raw.numpy()), 0
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            while done < count and (got := file.readinto(view[done:])):
                done += got
        if done < count:
            raise EngineError(f"{path}: is cut short; fetch it again")
        return raw.view(_DTYPES[kind]).reshape(shape).to(device=device, dtype=dtype)

    def digest(self, names: Iterable[str]) -> str:
        """Hash of the named tensors: name, format, shape and 16 evenly spaced slices of each."""
        sha = hashlib.sha256()
        for name in sorted(names):
            path, kind, shape, offset, count = self._places[self._found(name)]
            sha.update(f"{name} {kind} {shape}\n".encode())
            with path.open("rb") as file:
                for i in range(_SAMPLES):
                    file.seek(offset + max(0, (count - _SLICE) * i // (_SAMPLES - 1)))
                    sha.update(file.read(min(_SLICE, count)))
        return sha.hexdigest()


def skeleton(folder: Path) -> Any:
    """The model without weights; its position tables, which follow from the config, are there.

    Raises:
        EngineError: transformers does not know the architecture.
    """
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.simplefilter("ignore")
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise EngineError(f"base: {folder} cannot be read ({reason}); name a causal language model") from error
    model.requires_grad_(False).eval()
    rotary = getattr(model.base_model, "rotary_emb", None)
    if rotary is not None:
        model.base_model.rotary_emb = type(rotary)(config=config)
    return model


def names_of(module: Any, prefix: str) -> list[str]:
    """Full names of a module's parameters and kept buffers."""
    return [f"{prefix}.{name}" if prefix else name for name in module.state_dict()]


def put(module: Any, prefix: str, tensors: Tensors, dtype: Any, device: Any) -> None:
    """Give a module without weights its weights."""
    state = {name: tensors.read(f"{prefix}.{name}", dtype, device) for name in module.state_dict()}
    module.load_state_dict(state, assign=True)
    module.requires_grad_(False).eval()
