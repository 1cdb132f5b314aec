"""Examples become checkpoints: a run, its curve and its models in the store."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poetune.errors import EngineError
from poetune.finetune import foreign_checkpoints, inherited, plan_job
from poetune.ports import Needs, TrainEvent, TrainJob
from poetune.records import Model, Run
from poetune.store.queries import best_of, checkpoints
from poetune.studio import dataset as dataset_stage
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a training gave. Losses are nats per supervised token on the validation poems."""

    run: str
    checkpoints: int
    already: bool
    steps: int
    first_loss: float | None
    best_loss: float | None
    best_step: int


def plan(studio: Studio) -> tuple[Run, TrainJob, tuple[str, ...]]:
    """The run and the job that the recipe and the current data set ask for, with what is worth saying about them."""
    built = dataset_stage.current(studio)
    rows = dataset_stage.examples(studio, built)
    planned = plan_job(studio.recipe.finetune, rows)
    base = studio.base_model()
    recipe = {**studio.resolved("base", "dataset"), "finetune": planned.settings.model_dump(mode="json")}
    engine = studio.engine().capabilities.name
    run = Run("sft", engine, studio.recipe.seed, recipe, built.id, base.id, studio.round.number)
    folder = studio.folder / "runs" / run.id
    return run, TrainJob(studio.weights(base), rows, planned.settings, studio.recipe.seed, folder), planned.notes


def needs(studio: Studio) -> Needs:
    """What the training will take, said aloud beside what the machine has."""
    _, job, _ = plan(studio)
    found = studio.trainer().needs(job)
    _say_needs(studio, found)
    return found


def _say_needs(studio: Studio, found: Needs) -> None:
    wanted, there = f"{found.memory / 2**30:.1f} GiB", f"{found.has_memory / 2**30:.1f} GiB"
    beside = f" of the {there} here" if found.has_memory else ""
    studio.say(
        f"will train {found.trained:,} of {found.parameters:,} parameters on {found.device}: about {wanted}{beside}, "
        f"about {_minutes(found.seconds)}."
    )
    for note in found.notes:
        studio.say(f"  ({note})")
    if found.has_memory and found.memory > found.has_memory:
        raise EngineError(
            f"the training needs about {wanted} and {found.device} has {there}; "
            "make finetune.batch or finetune.longest smaller, or take a smaller base."
        )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def train(studio: Studio) -> Tuned:
    """Train, or go on with, the run that the recipe asks for; a finished one whose checkpoints are there is left."""
    run, job, notes = plan(studio)
    _forget_lost(studio)
    if studio.store.fact(f"run:{run.id}:done") and checkpoints(studio.store, run.id):
        return _tuned(studio, run, already=True)
    allowed = studio.engine().capabilities.trains
    if job.settings.method not in allowed:
        raise EngineError(
            f"the engine {run.engine} cannot train with finetune.method {job.settings.method}; it can: "
            f"{', '.join(sorted(allowed))}."
        )
    _say_inherited(studio, run, job, notes)
    _say_needs(studio, studio.trainer().needs(job))
    studio.store.add([studio.base_model(), run])
    curve = _Curve(studio, run)
    started, before = time.monotonic(), float(studio.store.fact(f"run:{run.id}:seconds") or 0)
    try:
        for event in studio.trainer().train(job):
            curve.hear(event)
    finally:
        studio.listener.end()
        studio.store.remember(f"run:{run.id}:seconds", f"{before + time.monotonic() - started:.1f}")
    studio.store.remember(f"run:{run.id}:done", "1")
    return _tuned(studio, run, already=False)


def _forget_lost(studio: Studio) -> None:
    """Checkpoints of our own whose folder someone deleted are no longer models."""
    lost = [m for m in studio.store.all(Model) if m.run and m.adapter and not (studio.folder / m.adapter).exists()]
    if lost:
        studio.say(f"no longer on disk, so forgotten: {', '.join(m.adapter for m in lost)}.")
        studio.store.drop_models([m.id for m in lost])


def _say_inherited(studio: Studio, run: Run, job: TrainJob, notes: tuple[str, ...]) -> None:
    studio.say(
        f"finetune inherits: base {studio.recipe.base} and seed {run.seed} from the recipe; data set {run.dataset} "
        f"({len(job.examples)} examples, templates {', '.join(studio.recipe.dataset.templates)}) from dataset."
    )
    defaults = inherited(studio.recipe.finetune)
    if defaults:
        studio.say(f"  (left to their defaults: {', '.join(defaults)})")
    for note in notes:
        studio.say(f"  ({note})")


class _Curve:
    """Hears a training's events and keeps what must outlive it."""

    def __init__(self, studio: Studio, run: Run) -> None:
        self.studio, self.run = studio, run
        self.at = 0
        self.opened = False
        self.losses = dict.fromkeys(("train", "validation"), None) | {
            kind: loss for _, kind, loss, _ in studio.store.losses(run.id)
        }

    def hear(self, event: TrainEvent) -> None:
        """One event: move the bar, keep losses, register or forget a checkpoint."""
        studio, listener = self.studio, self.studio.listener
        if event.kind == "start":
            if event.step:
                studio.say(f"going on from step {event.step} of {event.total}.")
            listener.begin("training", event.total)
            self.opened = True
            self._move(event.step)
        elif event.kind == "note":
            studio.say(event.text)
        elif event.kind in ("train", "validation"):
            value = event.loss if event.kind == "train" else event.validation_loss
            if value is not None:
                self.losses[event.kind] = value
                studio.store.add_losses(self.run.id, [(event.step, event.kind, value, event.rate)])
            self._move(event.step, self._note())
        elif event.kind == "checkpoint" and event.folder is not None:
            self._move(event.step, self._note())
            studio.store.add([self._model(event, event.folder)])
        elif event.kind == "removed" and event.folder is not None:
            gone = studio.relative(event.folder)
            studio.store.drop_models([m.id for m in checkpoints(studio.store, self.run.id) if m.adapter == gone])

    def _move(self, step: int, note: str = "") -> None:
        if self.opened and step >= self.at:
            self.studio.listener.advance(step - self.at, note)
            self.at = step

    def _note(self) -> str:
        return "  ".join(f"{kind} {loss:.3f}" for kind, loss in self.losses.items() if loss is not None)

    def _model(self, event: TrainEvent, folder: Path) -> Model:
        base = self.studio.base_model()
        return Model(
            "checkpoint",
            self.run.engine,
            base.base,
            self.studio.relative(folder),
            name=f"step {event.step}",
            run=self.run.id,
            parent=base.id,
            step=event.step,
            round=self.run.round,
            train_loss=event.loss,
            validation_loss=event.validation_loss,
        )


def _tuned(studio: Studio, run: Run, *, already: bool) -> Tuned:
    kept = checkpoints(studio.store, run.id)
    validation = [(step, loss) for step, kind, loss, _ in studio.store.losses(run.id) if kind == "validation"]
    best = best_of(kept)
    return Tuned(
        run=run.id,
        checkpoints=len(kept),
        already=already,
        steps=max((m.step for m in kept), default=0),
        first_loss=validation[0][1] if validation else None,
        best_loss=best.validation_loss if best else None,
        best_step=best.step if best else 0,
    )


def register(studio: Studio, folder: Path) -> list[dict[str, Any]]:
    """Register a folder of foreign checkpoints as models of the open round. Raises EngineError where there are none."""
    found = foreign_checkpoints(folder)
    base = studio.base_model()
    engine = studio.engine().capabilities.name
    models = [
        Model(
            "checkpoint",
            engine,
            base.base,
            studio.relative(path),
            name=f"foreign step {step}",
            parent=base.id,
            step=step,
            round=studio.round.number,
        )
        for step, path in found
    ]
    studio.store.add([base, *models])
    return [{"step": m.step, "id": m.id, "path": m.adapter} for m in models]
