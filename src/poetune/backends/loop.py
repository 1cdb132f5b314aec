"""The training loop that every engine shares: when to report, validate, sample, keep, stop and resume.

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
from poetune.backends.watching import Watch
from poetune.errors import EngineError
from poetune.ports import TrainEvent, TrainJob


@dataclass(frozen=True, slots=True)
class Stepped:
    """One optimizer step: nats summed over the supervised tokens, their number, and all tokens read.

    `gradient_norm` is that before clipping, of the mean loss; 0 where there is none. `notes` are sentences to be said.
    """

    nats: float
    supervised: int
    read: int
    gradient_norm: float = 0.0
    notes: tuple[str, ...] = ()


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
        """Run one optimizer step; where loss or gradient is no number, the weights stay as they were."""
        ...

    def validate(self) -> float | None:
        """Nats per supervised token over the validation rows; None where there are none."""
        ...

    def sample(self) -> list[tuple[str, str]]:
        """The job's sample poems as the weights now write them: id of the request, text."""
        ...

    def save(self, folder: Path) -> None:
        """Write the weights in the engine's own format. Raises FloatingPointError where one is no number."""
        ...

    def save_resume(self, folder: Path) -> None:
        """Write what the next step needs beyond the weights."""
        ...

    def resume(self, folder: Path, resume: Path) -> None:
        """Take up both again, exactly."""
        ...


def run(job: TrainJob, total: int, identity: Identity, open_learner: Callable[[], Learner]) -> Iterator[TrainEvent]:
    """Train to step `total` or until it stops early, from the latest checkpoint below `job.folder`.

    A finished run trains nothing.

    Raises:
        EngineError: the folder holds another run, the loss is no longer a number, or the disk is full.
    """
    checkpoints.sweep(job.folder)
    kept = checkpoints.found(job.folder)
    if any(each.note.run != identity.run for each in kept):
        raise EngineError(f"{job.folder}: holds a training with other data or settings; name another folder")
    done = kept[-1].note.step if kept else 0
    stopped = kept[-1].note.stopped if kept else ""
    finished = done >= total or bool(stopped)
    for each in kept if finished else kept[:-1]:
        checkpoints.forget_resume(each.folder)
    yield TrainEvent("start", done, total)
    yield from (_announce(each, total) for each in kept)
    state = _State(job, total, identity, kept)
    yield from state.prune()
    if stopped:
        yield TrainEvent("stopped", done, total, validation_loss=state.watch.best, text=stopped)
    if finished:
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
        yield from state.before(learner)
    for step in range(done + 1, total + 1):
        yield from state.advance(step, learner)
        if state.stopped:
            return


class _State:
    """The running figures of one training."""

    def __init__(self, job: TrainJob, total: int, identity: Identity, kept: list[Found]) -> None:
        self.job, self.total, self.identity, self.kept = job, total, identity, kept
        note = kept[-1].note if kept else None
        window = note.window if note else {}
        self.nats = window.get("nats", 0.0)
        self.supervised = int(window.get("supervised", 0))
        self.norm = window.get("norm", 0.0)
        self.watch = Watch.of(note.watch if note else {})
        self.train_loss = note.train_loss if note else None
        self.validated_at, self.validation_loss = -1, math.inf
        self.stopped = ""
        self.read, self.since = 0, time.monotonic()

    def before(self, learner: Learner) -> Iterator[TrainEvent]:
        """The loss of what the training starts from."""
        yield from self._validated(0, learner)
        if self.watch.best_step < 0 and self.job.settings.patience:
            text = "there are no validation examples, so finetune.patience stops nothing"
            yield TrainEvent("note", 0, self.total, text=text)

    def advance(self, step: int, learner: Learner) -> Iterator[TrainEvent]:
        """One step and whatever is due after it."""
        settings = self.job.settings
        rate = rate_at(settings, step, self.total)
        stepped = learner.step(step, rate)
        for text in stepped.notes:
            yield TrainEvent("note", step, self.total, text=text)
        if not (math.isfinite(stepped.nats) and math.isfinite(stepped.gradient_norm)):
            raise self._lost(step)
        self.nats += stepped.nats
        self.supervised += stepped.supervised
        self.norm = max(self.norm, stepped.gradient_norm)
        self.read += stepped.read
        self.watch.stepped(stepped.nats, stepped.supervised)
        last = step == self.total
        validates = step % settings.validate_every == 0 or last
        if step % settings.report_every == 0 or last:
            yield self._report(step, rate)
        if validates:
            yield from self._validated(step, learner)
            self.stopped = "" if last else self.watch.over(settings.patience, step, self.total)
        if settings.sample_every and self.job.samples and step % settings.sample_every == 0:
            yield from self._sampled(step, learner)
        if self.stopped:
            yield TrainEvent("stopped", step, self.total, validation_loss=self.watch.best, text=self.stopped)
        if step % settings.checkpoint_every == 0 or last or (validates and settings.patience):
            yield from self._checkpoint(step, learner)

    def _report(self, step: int, rate: float) -> TrainEvent:
        if self.supervised:
            self.train_loss = self.nats / self.supervised
        now = time.monotonic()
        speed = self.read / max(now - self.since, 1e-9)
        norm = self.norm
        self.nats, self.supervised, self.norm, self.read, self.since = 0.0, 0, 0.0, 0, now
        return TrainEvent("train", step, self.total, self.train_loss, None, rate, norm, speed)

    def _validated(self, step: int, learner: Learner) -> Iterator[TrainEvent]:
        """A validation event, where there is anything to validate on, and a note where overfitting starts."""
        started = time.monotonic()
        loss = learner.validate()
        self.since += time.monotonic() - started
        if loss is None:
            return
        if not math.isfinite(loss):
            raise self._lost(step)
        self.validated_at, self.validation_loss = step, loss
        overfits = self.watch.validated(step, loss)
        yield TrainEvent("validation", step, self.total, None, loss)
        if overfits:
            yield TrainEvent("note", step, self.total, text=overfits)

    def _sampled(self, step: int, learner: Learner) -> Iterator[TrainEvent]:
        started = time.monotonic()
        written = learner.sample()
        self.since += time.monotonic() - started
        for request, text in written:
            yield TrainEvent("sample", step, self.total, text=text, request=request)

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
            validation_loss=self.validation_loss if self.validated_at == step else None,
            window={"nats": self.nats, "supervised": self.supervised, "norm": self.norm},
            watch=self.watch.kept(),
            stopped=self.stopped,
        )

        def fill(folder: Path) -> None:
            learner.save(folder)
            if step < self.total and not self.stopped:
                (folder / checkpoints.RESUME).mkdir()
                learner.save_resume(folder / checkpoints.RESUME)

        try:
            path = checkpoints.write(self.job.folder, note, fill)
        except FloatingPointError:
            raise self._lost(step) from None
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

    def _lost(self, step: int) -> EngineError:
        left = f"{self.kept[-1].folder.name} is kept" if self.kept else "no checkpoint had been made"
        return EngineError(
            f"finetune: the loss is no longer a number at step {step} ({left}); lower finetune.rate, lengthen "
            "finetune.warmup, or set finetune.clip to 1 and finetune.precision to fp32"
        )


def _announce(each: Found, total: int) -> TrainEvent:
    note = each.note
    return TrainEvent("checkpoint", note.step, total, note.train_loss, note.validation_loss, folder=each.folder)
