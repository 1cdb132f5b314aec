"""The boundary cache on disk: the states that enter the lowest trained layer, one entry a text, unpadded.

`<cache>/<key>/` holds parts, safetensors files that are written aside, fsynced and renamed: what is there is whole.
The key is a hash of what lies below the boundary, its number format and the boundary, so that sweeps, retrains and
later rounds on the same base find what is there, and another base never does.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from poetune.errors import EngineError

Open = Callable[[Path], Any]  # as safetensors' `safe_open`: metadata(), keys(), get_tensor(name)
Save = Callable[[Mapping[str, Any], Path, Mapping[str, str]], None]
Ids = Sequence[int]
_PART_BYTES = 512 << 20  # states held in memory at a time


def entry(ids: Ids) -> str:
    """The name of a text's entry: a hash of the token ids that the layers read."""
    return hashlib.sha256(b"".join(i.to_bytes(4, "little") for i in ids)).hexdigest()[:32]


class StateFiles:
    """Entries by token ids, each (tokens, size), of one boundary of one model.

    `opened` reads a part in the engine's own tensors, `save` writes one with its metadata.
    """

    def __init__(self, cache: Path, key: str, opened: Open, save: Save) -> None:
        self.folder, self.key, self.opened, self.save = cache / key, key, opened, save
        self._where: dict[str, Any] = {}
        if self.folder.is_dir():
            for path in sorted(self.folder.glob("*.safetensors")):
                self._open(path)

    def _open(self, path: Path) -> None:
        try:
            part = self.opened(path)
            meant = (part.metadata() or {}).get("key")
            names = list(part.keys())
        except (SafetensorError, OSError, ValueError) as error:
            raise EngineError(f"{path}: the cache is damaged; delete its folder, it is made anew") from error
        if meant != self.key:
            raise EngineError(f"{path}: is a cache of another model; delete its folder, it is made anew")
        self._where.update(dict.fromkeys(names, part))

    def missing(self, texts: Iterable[Ids]) -> list[Ids]:
        """Those that have no entry yet, each once."""
        seen: dict[str, Ids] = {}
        for ids in texts:
            seen.setdefault(entry(ids), ids)
        return [ids for name, ids in seen.items() if name not in self._where]

    def add(self, texts: Sequence[Ids], states: Sequence[Any]) -> None:
        """Write entries as one part.

        Raises:
            EngineError: the disk is full; what was there stays.
        """
        tensors = {entry(ids): each for ids, each in zip(texts, states, strict=True)}
        name = hashlib.sha256("".join(sorted(tensors)).encode()).hexdigest()[:16] + ".safetensors"
        aside = self.folder / f".writing-{os.getpid()}-{name}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.save(tensors, aside, {"key": self.key})
            with aside.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(aside, self.folder / name)
        except (OSError, SafetensorError, RuntimeError) as error:
            aside.unlink(missing_ok=True)
            raise EngineError(
                f"{self.folder}: the cache cannot be written ({error}); free some space, or set finetune.cache to off"
            ) from error
        self._open(self.folder / name)

    def get(self, ids: Ids) -> Any:
        """The entry of a text (tokens, size), in memory."""
        name = entry(ids)
        return self._where[name].get_tensor(name)


def parts(texts: Sequence[Ids], size: int) -> Iterator[list[Ids]]:
    """The texts in parts whose states, `size` bytes a token, are held in memory together."""
    return cut(texts, max(1, _PART_BYTES // size))


def cut(texts: Sequence[Ids], most: int) -> Iterator[list[Ids]]:
    """Neighbouring texts, at most so many tokens together; a longer text stands alone."""
    some: list[Ids] = []
    tokens = 0
    for ids in texts:
        if some and tokens + len(ids) > most:
            yield some
            some, tokens = [], 0
        some.append(ids)
        tokens += len(ids)
    if some:
        yield some


def said(first: int, count: int, added: int) -> str:
    """What is worth saying of a cache that stands for the first layers of so many."""
    lower = f"layers 0 to {first - 1} of {count} are frozen"
    if added:
        return f"{lower}: they run once a text and not at every step ({added} texts added to the cache)"
    return f"{lower} and need not run: the cache has what they give"
