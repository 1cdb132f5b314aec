"""The training loop that every engine shares: when to report, validate, keep and resume.

Events are yielded before the state that follows from them is written, so whoever stores them never misses one: after a
kill the same steps are run again and say the same, and checkpoints on disk are announced once more.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from poetune.backends import checkpoints
from poetune.backends.checkpoints import Found, Note
from poetune.backends.schedule import rate_at
from poetune.errors import EngineError
from poetune.ports import TrainEvent, TrainJob


@dataclass(frozen=True, slots=True)
class Stepped:
    """One optimizer step: nats summed over the supervised tokens, their number, and all tokens read."""

    nats: float
    supervised: int
    read: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What must agree for a folder to be resumed: hashes of the whole job, its base and its template."""

    engine: str
    run: str
    base: str
    template: str


class Learner(Protocol):
    """What an engine brings to the loop. `step` n depends on n and on the state after n-1 alone."""

    notes: tuple[str, ...]

    def step(self, number: int, rate: float) -> Stepped:
        """Run one optimizer step."""
        ...

    def validate(self) -> float | None:
        """Nats per supervised token over the validation rows; None where there are none."""
        ...

    def save(self, folder: Path) -> None:
        """Write the weights in the engine's own format."""
        ...

    def save_resume(self, folder: Path) -> None:
        """Write what the next step needs beyond the weights."""
        ...

    def resume(self, folder: Path, resume: Path) -> None:
        """Take up both again, exactly."""
        ...


def run(job: TrainJob, total: int, identity: Identity, open_learner: Callable[[], Learner]) -> Iterator[TrainEvent]:
    """Train to step `total`, from the latest checkpoint below `job.folder`; a finished run trains nothing.

    Raises:
        EngineError: the folder holds another run, or the loss is no longer a number.
    """
    checkpoints.sweep(job.folder)
    kept = checkpoints.found(job.folder)
    if any(each.note.run != identity.run for each in kept):
        raise EngineError(f"{job.folder}: holds a training with other data or settings; name another folder")
    done = kept[-1].note.step if kept else 0
    for each in kept if done >= total else kept[:-1]:
        checkpoints.forget_resume(each.folder)
    yield TrainEvent("start", done, total)
    yield from (_announce(each, total) for each in kept)
    state = _State(job, total, identity, kept)
    yield from state.prune()
    if done >= total:
        return
    learner = open_learner()
    for text in learner.notes:
        yield TrainEvent("note", done, total, text=text)
    if kept:
        last = kept[-1].folder
        if not (last / checkpoints.RESUME).is_dir():
            raise EngineError(f"{last}: has no optimizer state to go on from; train into another folder")
        learner.resume(last, last / checkpoints.RESUME)
    else:
        yield from state.validated(0, learner)
    for step in range(done + 1, total + 1):
        yield from state.advance(step, learner)


class _State:
    """The running figures of one training."""

    def __init__(self, job: TrainJob, total: int, identity: Identity, kept: list[Found]) -> None:
        self.job, self.total, self.identity, self.kept = job, total, identity, kept
        note = kept[-1].note if kept else None
        self.nats = note.window.get("nats", 0.0) if note else 0.0
        self.supervised = int(note.window.get("supervised", 0)) if note else 0
        self.train_loss = note.train_loss if note else None
        self.validation_loss = note.validation_loss if note else None
        self.read, self.since = 0, time.monotonic()

    def advance(self, step: int, learner: Learner) -> Iterator[TrainEvent]:
        """One step and whatever is due after it."""
        settings = self.job.settings
        rate = rate_at(settings, step, self.total)
        stepped = learner.step(step, rate)
        if not math.isfinite(stepped.nats):
            raise EngineError(f"finetune: the loss is no longer a number at step {step}; lower finetune.rate")
        self.nats += stepped.nats
        self.supervised += stepped.supervised
        self.read += stepped.read
        last = step == self.total
        if step % settings.report_every == 0 or last:
            yield self._report(step, rate)
        if step % settings.validate_every == 0 or last:
            yield from self.validated(step, learner)
        if step % settings.checkpoint_every == 0 or last:
            yield from self._checkpoint(step, learner)

    def _report(self, step: int, rate: float) -> TrainEvent:
        if self.supervised:
            self.train_loss = self.nats / self.supervised
        now = time.monotonic()
        speed = self.read / max(now - self.since, 1e-9)
        self.nats, self.supervised, self.read, self.since = 0.0, 0, 0, now
        return TrainEvent("train", step, self.total, self.train_loss, None, rate, speed)

    def validated(self, step: int, learner: Learner) -> Iterator[TrainEvent]:
        """A validation event, where there is anything to validate on."""
        started = time.monotonic()
        loss = learner.validate()
        self.since += time.monotonic() - started
        if loss is not None:
            self.validation_loss = loss
            yield TrainEvent("validation", step, self.total, None, loss)

    def _checkpoint(self, step: int, learner: Learner) -> Iterator[TrainEvent]:
        started = time.monotonic()
        train_loss = self.train_loss
        if train_loss is None and self.supervised:
            train_loss = self.train_loss = self.nats / self.supervised
        note = Note(
            engine=self.identity.engine,
            method=self.job.settings.method,
            step=step,
            total=self.total,
            run=self.identity.run,
            base=self.identity.base,
            template=self.identity.template,
            train_loss=train_loss,
            validation_loss=self.validation_loss,
            window={"nats": self.nats, "supervised": self.supervised},
        )

        def fill(folder: Path) -> None:
            learner.save(folder)
            if step < self.total:
                (folder / checkpoints.RESUME).mkdir()
                learner.save_resume(folder / checkpoints.RESUME)

        path = checkpoints.write(self.job.folder, note, fill)
        for earlier in self.kept:
            checkpoints.forget_resume(earlier.folder)
        self.kept.append(Found(path, note))
        self.since += time.monotonic() - started
        yield _announce(self.kept[-1], self.total)
        yield from self.prune()

    def prune(self) -> Iterator[TrainEvent]:
        """Say which checkpoints go, then delete them: in this order, or a kill in between would hide it."""
        for each in checkpoints.surplus(self.kept, self.job.settings.keep):
            yield TrainEvent("removed", each.note.step, self.total, folder=each.folder)
            checkpoints.remove(each.folder)
            self.kept.remove(each)


def _announce(each: Found, total: int) -> TrainEvent:
    note = each.note
    return TrainEvent("checkpoint", note.step, total, note.train_loss, note.validation_loss, folder=each.folder)
