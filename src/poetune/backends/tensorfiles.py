"""safetensors files by numpy alone: a length, a JSON header, then the bytes of each tensor."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from poetune.errors import EngineError

_WORDS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_KINDS = {8: np.uint64, 4: np.uint32, 2: np.uint16}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of floating-point numbers: its number format as safetensors names it, and their bits."""

    kind: str
    bits: Any

    @property
    def turned(self) -> "Tensor":
        """Rows and columns exchanged."""
        return Tensor(self.kind, np.ascontiguousarray(self.bits.T))


def read(file: Path) -> dict[str, Tensor]:
    """All tensors by name. Raises EngineError for a damaged file, or one that holds other than floating point."""
    try:
        data = file.read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        header: dict[str, Any] = json.loads(data[8:start])
        header.pop("__metadata__", None)
        out = {}
        for name, told in header.items():
            words = _KINDS[_WORDS[told["dtype"]]]
            begin = start + told["data_offsets"][0]
            flat = np.frombuffer(data, words, math.prod(told["shape"]), begin)
            out[name] = Tensor(told["dtype"], flat.reshape(told["shape"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineError(
            f"The file {file} cannot be read as safetensors ({error}); make the checkpoint again."
        ) from error
    return out


def write(tensors: Mapping[str, Tensor], file: Path) -> None:
    """One file, in the order of the names; its header says `pt`, which every reader takes."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name in sorted(tensors):
        each = tensors[name]
        end = at + each.bits.nbytes
        header[name] = {"dtype": each.kind, "shape": list(each.bits.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            out.write(np.ascontiguousarray(tensors[name].bits).tobytes())
