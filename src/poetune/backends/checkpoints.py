"""Checkpoint folders: written aside, fsynced, renamed; a folder without its note is not a checkpoint.

`checkpoint-000050/` holds the weights in the engine's own format, `poetune.json` (the note, written last) and, in the
latest one only, `resume/` with what the next step needs.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from poetune.errors import EngineError

NOTE = "poetune.json"
RESUME = "resume"
_ASIDE, _GONE = ".writing-", ".removing-"


@dataclass(frozen=True, slots=True)
class Note:
    """What a checkpoint knows of itself. Losses are nats per supervised token; `base` and `template` are hashes.

    `validation_loss` is of this very step, None where it was not validated; `stopped` says why the run ended early.
    """

    engine: str
    method: str
    step: int
    total: int
    run: str
    base: str
    template: str
    train_loss: float | None = None
    validation_loss: float | None = None
    window: dict[str, float] = field(default_factory=dict)
    watch: dict[str, float] = field(default_factory=dict)
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A complete checkpoint on disk."""

    folder: Path
    note: Note


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint is a model of its own: it has no adapter_config.json."""
    return folder.is_dir() and not (folder / "adapter_config.json").is_file() and (folder / "config.json").is_file()


def read_note(folder: Path) -> Note | None:
    """The folder's note, or None where it has none (weights from elsewhere).

    Raises:
        EngineError: the note cannot be read.
    """
    path = folder / NOTE
    if not path.is_file():
        return None
    try:
        known = {f.name for f in fields(Note)}
        return Note(**{k: v for k, v in json.loads(path.read_text("utf-8")).items() if k in known})
    except (ValueError, TypeError, AttributeError) as error:
        raise EngineError(f"{path}: the checkpoint's note is damaged; remove the folder and train again") from error


def found(folder: Path) -> list[Found]:
    """All complete checkpoints below `folder`, by step."""
    out = []
    for path in sorted(folder.glob("checkpoint-*")) if folder.is_dir() else ():
        note = read_note(path)
        if note is not None:
            out.append(Found(path, note))
    return sorted(out, key=lambda each: each.note.step)


def write(folder: Path, note: Note, fill: Callable[[Path], None]) -> Path:
    """Make `checkpoint-STEP` with what `fill` writes into it; it appears whole or not at all."""
    final = folder / f"checkpoint-{note.step:06d}"
    folder.mkdir(parents=True, exist_ok=True)
    with_note = json.dumps(asdict(note), indent=1, ensure_ascii=False) + "\n"

    def fill_and_note(aside: Path) -> None:
        fill(aside)
        (aside / NOTE).write_text(with_note, "utf-8")

    if final.exists():  # no note, or it would have been resumed from
        remove(final)
    publish(final, fill_and_note)
    return final


def publish(final: Path, fill: Callable[[Path], None]) -> None:
    """Make the folder `final` from what `fill` writes: aside, fsynced, renamed.

    Raises:
        EngineError: `final` is there already and not empty, or the disk is full; then nothing of it is left.
    """
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise EngineError(f"{final}: is there already; name an empty folder")
    final.parent.mkdir(parents=True, exist_ok=True)
    aside = final.parent / f"{_ASIDE}{final.name}"
    if aside.exists():
        shutil.rmtree(aside)
    try:
        aside.mkdir()
        fill(aside)
        for path in sorted(aside.rglob("*")):
            _fsync(path)
        _fsync(aside)
    except Exception as error:  # safetensors raises a kind of its own
        if not _is_full(error):
            raise
        shutil.rmtree(aside, ignore_errors=True)
        raise EngineError(
            f"{final}: the disk is full; what was saved before is whole, so free some space and run the command again"
        ) from error
    if final.exists():
        final.rmdir()
    os.rename(aside, final)
    _fsync(final.parent)


def best(kept: Sequence[Found]) -> Found:
    """The lowest validation loss, or training loss where none was validated; the earliest of equals."""

    def loss(each: Found) -> tuple[bool, float]:
        value = each.note.validation_loss if each.note.validation_loss is not None else each.note.train_loss
        return each.note.validation_loss is None, value if value is not None else float("inf")

    return min(kept, key=loss)


def surplus(kept: Sequence[Found], keep: int) -> list[Found]:
    """Those over the limit, oldest first. The latest and the best always stay, so `keep` 1 may leave two."""
    if not keep or len(kept) <= keep:
        return []
    stays = {best(kept).folder, kept[-1].folder}
    for each in reversed(kept):
        if len(stays) >= keep:
            break
        stays.add(each.folder)
    return [each for each in kept if each.folder not in stays]


def remove(folder: Path) -> None:
    """Take a folder out of sight in one step, then delete it."""
    gone = folder.with_name(_GONE + folder.name)
    if gone.exists():
        shutil.rmtree(gone)
    os.rename(folder, gone)
    shutil.rmtree(gone)


def sweep(folder: Path) -> None:
    """Delete what an interrupted process left half written or half deleted."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name.startswith((_ASIDE, _GONE)):
                shutil.rmtree(path)


def forget_resume(folder: Path) -> None:
    """Drop the optimizer state of a checkpoint that is no longer the latest."""
    if (folder / RESUME).exists():
        remove(folder / RESUME)
    if (folder / (_GONE + RESUME)).exists():
        shutil.rmtree(folder / (_GONE + RESUME))


def _is_full(error: BaseException) -> bool:
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows knows no quota
    return getattr(error, "errno", None) in full or any(f"os error {number}" in str(error) for number in full)


def _fsync(path: Path) -> None:
    if os.name == "nt":  # directories cannot be opened there, and files are flushed on rename by the journal
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
