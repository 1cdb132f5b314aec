"""Every checkpoint on one prompt set, and which to take."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.errors import EngineError
from poetune.records import Candidate, Model
from poetune.score.checkpoints import Advice, advice
from poetune.score.contents import CopyRow, Step
from poetune.score.copying import HELD_OUT
from poetune.store.queries import checkpoints as of_run
from poetune.studio.house import Studio
from poetune.studio.score.contestants import Contestant, prompts_of, written
from poetune.studio.score.copies import copied
from poetune.studio.score.measuring import measured
from poetune.studio.score.models import best_or_fail, examples


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """A run's checkpoints by step, and the one to take, with its reasons. `gone` are steps whose files are missing."""

    run: str
    steps: tuple[Step, ...]
    advice: Advice | None
    own_copied: float | None
    gone: tuple[int, ...] = ()
    said: tuple[str, ...] = ()


def checkpoints(studio: Studio, write: bool = True) -> Checkpoints:
    """Measure what every checkpoint of the best one's run writes; without `write`, only what is there already.

    Raises EngineError where no checkpoint is left on disk.
    """
    best = best_or_fail(studio)
    found = of_run(studio.store, best.run) if best.run else [best]
    gone = tuple(m.step for m in found if write and not _there(studio, m))
    models = [m for m in found if m.step not in gone]
    if not models:
        raise EngineError("every checkpoint's files are gone; run `poetune finetune`, which trains again.")
    sets = _written(studio, models, write)
    figures, said = measured(studio, sets)
    own = _own(studio, best)
    by = {m.name: m for m in models}
    steps = tuple(Step(by[f.label].step, f, by[f.label].train_loss, by[f.label].validation_loss) for f in figures)
    return Checkpoints(best.run, steps, advice(steps, own, _start(studio, best)), own, gone, tuple(said))


def _there(studio: Studio, model: Model) -> bool:
    return (studio.folder / model.adapter).exists()


def _written(studio: Studio, models: Sequence[Model], write: bool) -> dict[str, list[Candidate]]:
    prompts, sampling = prompts_of(studio, studio.recipe.score.prompts), studio.recipe.generate.sampling()
    sets = {
        model.name: written(studio, Contestant(model.name, model), prompts, sampling, write=write) for model in models
    }
    return {name: poems for name, poems in sets.items() if poems}


def _own(studio: Studio, best: Model) -> float | None:
    rows: Sequence[CopyRow] = copied(studio, {}, examples(studio, best)).rows
    return next((row.share for row in rows if row.label == HELD_OUT), None)


def _start(studio: Studio, best: Model) -> float | None:
    """The run's held-out loss before its first step."""
    found = [loss for step, kind, loss, _ in studio.store.losses(best.run) if step == 0 and kind == "validation"]
    return found[0] if found else None
