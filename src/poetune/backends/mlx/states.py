"""The boundary cache in mlx: filled in a pass of its own, each lower layer in turn over all new texts, then freed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import mlx.core as mx
import numpy as np
from mlx.utils import tree_map
from safetensors import safe_open

from poetune.backends.mlx.decoder import Decoder
from poetune.backends.states import Ids, StateFiles, cut, parts

_CALL_TOKENS = 2048


class MlxStates(StateFiles):
    """Entries as mlx arrays."""

    def __init__(self, cache: Path, key: str) -> None:
        super().__init__(cache, key, Part, _save)


class Part:
    """A safetensors file whose tensors are read one at a time; mlx's own `load` would keep each that was read."""

    _KINDS: ClassVar = {
        "F32": (np.uint32, mx.float32),
        "F16": (np.uint16, mx.float16),
        "BF16": (np.uint16, mx.bfloat16),
    }

    def __init__(self, path: Path) -> None:
        with safe_open(path, "numpy"):  # refuses what is damaged
            self.path = path
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            self._header = json.loads(file.read(length))
        self._start = 8 + length

    def metadata(self) -> dict[str, str]:
        """What was written beside the tensors."""
        found: dict[str, str] = self._header.get("__metadata__", {})
        return found

    def keys(self) -> list[str]:
        """Names of the tensors."""
        return [name for name in self._header if name != "__metadata__"]

    def get_tensor(self, name: str) -> Any:
        """One tensor."""
        told = self._header[name]
        begin, end = told["data_offsets"]
        words, kind = self._KINDS[told["dtype"]]
        with self.path.open("rb") as file:
            file.seek(self._start + begin)
            bits = np.frombuffer(file.read(end - begin), words)
        return mx.array(bits).view(kind).reshape(told["shape"])


def _save(tensors: Mapping[str, Any], path: Path, metadata: Mapping[str, str]) -> None:
    with path.open("wb") as file:  # given a path, mlx would add an ending of its own
        mx.save_safetensors(file, dict(tensors), dict(metadata))


def fill(states: MlxStates, texts: Sequence[Ids], decoder: Decoder, first: int, size: int, frees: bool) -> int:
    """Add the entries of texts that have none; the number of texts added.

    `size` is bytes a token. With `frees` a layer's weights are dropped after its turn, if all texts fit into one part.
    """
    todo = sorted(states.missing(texts), key=len)
    every = list(parts(todo, size))
    for part in every:
        calls = list(cut(part, _CALL_TOKENS))
        current = [_embedded(decoder, call) for call in calls]
        for layer in decoder.layers[:first]:
            for i, x in enumerate(current):
                current[i] = decoder.run(x, [layer])
                mx.eval(current[i])
            if frees and len(every) == 1:
                drop(layer)
        rows = [(x[i], len(text)) for x, call in zip(current, calls, strict=True) for i, text in enumerate(call)]
        states.add(part, [mx.contiguous(row[:length]) for row, length in rows])
    return len(todo)


def drop(module: Any) -> None:
    """Give the memory of a module's weights back."""
    module.update(tree_map(lambda _: mx.array([]), module.parameters()))


def _embedded(decoder: Decoder, texts: Sequence[Ids]) -> Any:
    ids = np.zeros((len(texts), max(len(text) for text in texts)), np.int32)
    for line, text in zip(ids, texts, strict=True):
        line[: len(text)] = text
    return decoder.embed(mx.array(ids))
