"""One run from its plan to its checkpoints; what is done already is left as it is."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from poetune.records import Model, Run
from poetune.store.queries import best_of, checkpoints, merged_of
from poetune.studio.finetune.curve import Curve
from poetune.studio.finetune.planning import Planned
from poetune.studio.finetune.telling import say_inherited, say_needs
from poetune.studio.finetune.trackers import open_trackers
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Staged:
    """What one run gave. Losses are nats per supervised token: the validation's first and best, the best
    checkpoint's training loss; `perplexity` is of the best validation loss, `gradient_norm` the largest reported (0:
    none). `trained` of `parameters` weights trained.
    """

    stage: str
    kind: str
    run: str
    already: bool
    checkpoints: int
    steps: int
    best_step: int
    train_loss: float | None
    first_loss: float | None
    best_loss: float | None
    perplexity: float | None
    trained: int
    parameters: int
    seconds: float
    stopped: str
    gradient_norm: float = 0.0


def finished(studio: Studio, run: Run) -> bool:
    """Whether a run came to its end and left something: checkpoints, or what the next stage starts from."""
    merged = merged_of(studio.store, run.id)
    left = bool(checkpoints(studio.store, run.id)) or (merged is not None and (studio.folder / merged.base).is_dir())
    return bool(studio.store.fact(f"run:{run.id}:done")) and left


def fit(studio: Studio, planned: Planned, parent: Model, label: str = "", tell: bool = True) -> Staged:
    """Train, or go on with, a run; a finished one trains nothing. `label` names it where there are several.

    With `tell`, what it inherits is said first.
    """
    run, job, store = planned.run, planned.job, studio.store
    if finished(studio, run):
        return staged(studio, planned, already=True)
    if tell:
        say_inherited(studio, planned)
    needed = studio.trainer().needs(job)
    say_needs(studio, needed, label)
    store.add([studio.base_model(), parent, run])
    store.remember(f"run:{run.id}:weights", f"{needed.trained}/{needed.parameters}")
    curve = Curve(studio, planned, parent, f"training {label}".strip())
    tracked = open_trackers(studio, planned)
    started, before = time.monotonic(), float(store.fact(f"run:{run.id}:seconds") or 0)
    try:
        for event in studio.trainer().train(job):
            curve.hear(event)
            tracked.hear(event)
    finally:
        tracked.close()
        studio.listener.end()
        store.remember(f"run:{run.id}:seconds", f"{before + time.monotonic() - started:.1f}")
    if curve.stopped:
        store.remember(f"run:{run.id}:stopped", curve.stopped)
    store.remember(f"run:{run.id}:done", "1")
    return staged(studio, planned, already=False)


def staged(studio: Studio, planned: Planned, *, already: bool) -> Staged:
    """What the store knows of a run."""
    store, run = studio.store, planned.run
    kept: Sequence[Model] = checkpoints(store, run.id)
    validation = [(step, loss) for step, kind, loss, _ in store.losses(run.id) if kind == "validation"]
    best = best_of(kept) or merged_of(store, run.id)
    held = best.validation_loss if best else None
    trained, _, parameters = store.fact(f"run:{run.id}:weights").partition("/")
    return Staged(
        stage=planned.stage.name,
        kind=planned.stage.kind,
        run=run.id,
        already=already,
        checkpoints=len(kept),
        steps=max((m.step for m in kept), default=best.step if best else 0),
        best_step=best.step if best else 0,
        train_loss=best.train_loss if best else None,
        first_loss=validation[0][1] if validation else None,
        best_loss=held,
        perplexity=math.exp(min(held, 700.0)) if held is not None else None,
        trained=int(trained or 0),
        parameters=int(parameters or 0),
        seconds=float(store.fact(f"run:{run.id}:seconds") or 0),
        stopped=store.fact(f"run:{run.id}:stopped"),
        gradient_norm=max((norm for _, norm in store.gradient_norms(run.id)), default=0.0),
    )
