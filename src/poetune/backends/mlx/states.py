"""The boundary cache in mlx: filled in a pass of its own, each lower layer in turn over all new texts, then freed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import mlx.core as mx
import numpy as np
from mlx.utils import tree_map
from safetensors import safe_open

from poetune.backends.mlx.decoder import Decoder
from poetune.backends.states import StateFiles

_PART_BYTES = 512 << 20  # states held in memory at a time
_CALL_TOKENS = 2048

Ids = Sequence[int]


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
    parts = list(_parts(todo, max(1, _PART_BYTES // size)))
    for part in parts:
        current: list[Any] = [None] * len(part)
        for number, layer in enumerate(decoder.layers[:first]):
            for call in _calls(part):
                x = _embedded(decoder, [part[i] for i in call]) if number == 0 else _padded([current[i] for i in call])
                after = decoder.run(x, [layer])
                for place, i in enumerate(call):
                    current[i] = mx.contiguous(after[place, : len(part[i])])
                mx.eval([current[i] for i in call])
            if frees and len(parts) == 1:
                drop(layer)
        states.add(part, current)
    return len(todo)


def drop(module: Any) -> None:
    """Give the memory of a module's weights back."""
    module.update(tree_map(lambda _: mx.array([]), module.parameters()))


def _embedded(decoder: Decoder, texts: Sequence[Ids]) -> Any:
    ids = np.zeros((len(texts), max(len(text) for text in texts)), np.int32)
    for line, text in zip(ids, texts, strict=True):
        line[: len(text)] = text
    return decoder.embed(mx.array(ids))


def _padded(states: Sequence[Any]) -> Any:
    longest = max(len(each) for each in states)
    return mx.stack([mx.pad(each, [(0, longest - len(each)), (0, 0)]) for each in states])


def _parts(texts: Sequence[Ids], most: int) -> Iterator[list[Ids]]:
    part: list[Ids] = []
    tokens = 0
    for ids in texts:
        if part and tokens + len(ids) > most:
            yield part
            part, tokens = [], 0
        part.append(ids)
        tokens += len(ids)
    if part:
        yield part


def _calls(texts: Sequence[Ids]) -> Iterator[list[int]]:
    """Numbers of neighbouring texts, about two thousand tokens together."""
    call: list[int] = []
    tokens = 0
    for i, ids in enumerate(texts):
        if call and tokens + len(ids) > _CALL_TOKENS:
            yield call
            call, tokens = [], 0
        call.append(i)
        tokens += len(ids)
    if call:
        yield call
