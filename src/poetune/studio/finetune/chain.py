"""Stages that follow one another: each starts from the best checkpoint of the one before, merged into its base."""

import shutil
from dataclasses import dataclass, field

from poetune.errors import EngineError, RecipeError
from poetune.ports import Needs
from poetune.recipe import Stage
from poetune.records import Model, Run
from poetune.store.queries import best_of, checkpoints, merged_of, set_role
from poetune.studio.finetune.fitting import Staged, fit
from poetune.studio.finetune.planning import Planned, plan
from poetune.studio.finetune.telling import say_needs
from poetune.studio.finetune.trackers import check_trackers
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a training gave: the last stage's figures, and all stages. Losses are nats per supervised token."""

    run: str
    checkpoints: int
    already: bool
    steps: int
    first_loss: float | None
    best_loss: float | None
    best_step: int
    stopped: str = ""
    stages: list[Staged] = field(default_factory=list)


def needs(studio: Studio) -> dict[str, Needs]:
    """What each stage will take by its name, said aloud; a later stage's weights have the shapes of the base."""
    stages = chain(studio)
    found = {}
    for stage in stages:
        found[stage.name] = studio.trainer().needs(plan(studio, stage, studio.base_model()).job)
        say_needs(studio, found[stage.name], stage.name if len(stages) > 1 else "")
    return found


def train(studio: Studio, until: str = "") -> Tuned:
    """Train the recipe's stages in order, up to the one named `until`; what is finished is left as it is."""
    stages, whole = chain(studio, until), studio.recipe.finetune.chain()
    forget_lost(studio)
    parent, done, learned = studio.base_model(), [], set[str]()
    for stage in stages:
        planned = plan(studio, stage, parent)
        _say_leaks(studio, planned, learned)
        followed = bool(studio.store.fact(f"run:{planned.run.id}:preferred"))  # a preference stage writes instead
        set_role(studio.store, planned.run.id, "last" if stage.name == whole[-1].name and not followed else "earlier")
        done.append(fit(studio, planned, parent, stage.name if len(whole) > 1 else ""))
        learned |= {row.poem for row in planned.job.examples if row.split == "train"}
        if stage.name != stages[-1].name:
            parent = hand_on(studio, planned.run)
    last = done[-1]
    return Tuned(
        run=last.run,
        checkpoints=last.checkpoints,
        already=all(each.already for each in done),
        steps=last.steps,
        first_loss=last.first_loss,
        best_loss=last.best_loss,
        best_step=last.best_step,
        stopped=last.stopped,
        stages=done,
    )


def chain(studio: Studio, until: str = "") -> list[Stage]:
    """The recipe's stages up to `until`, checked before anything is trained.

    Raises RecipeError for an unknown stage or tracker, EngineError for a method that the engine does not have.
    """
    stages = studio.recipe.finetune.chain()
    names = [stage.name for stage in stages]
    if until and until not in names:
        raise RecipeError(f"finetune: no stage is called `{until}`; there are {', '.join(names)}.")
    stages = stages[: names.index(until) + 1] if until else stages
    able = studio.engine().capabilities
    for stage in stages:
        if stage.method not in able.trains:
            raise EngineError(
                f"the engine {able.name} cannot train with finetune.method {stage.method}; it can: "
                f"{', '.join(sorted(able.trains))}."
            )
    if len(stages) > 1 and not able.merges:
        raise EngineError(f"the engine {able.name} cannot merge, which stages after the first need; name one stage.")
    check_trackers(studio.recipe.finetune.track)
    return stages


def hand_on(studio: Studio, run: Run) -> Model:
    """A finished stage's best checkpoint merged into its base, on disk under `runs/ID/merged`; made once."""
    folder = studio.folder / "runs" / run.id / "merged"
    made = merged_of(studio.store, run.id)
    if made is not None and folder.is_dir():
        return made
    kept = checkpoints(studio.store, run.id)
    best = next((m for m in kept if made is not None and m.id == made.parent), None) or best_of(kept)
    if best is None:
        raise EngineError(f"stage {run.stage} has no checkpoint left to merge; run `poetune finetune` again.")
    studio.say(f"merging {best.name} of stage {run.stage} into its base, for the next stage.")
    if folder.exists():  # its row is written last, so a folder without one may be another checkpoint's
        shutil.rmtree(folder)
    try:
        studio.trainer().merge(studio.weights(best), folder)
    except OSError as error:
        raise EngineError(
            f"{folder} cannot be written ({error.strerror or error}); make room and run `poetune finetune` again."
        ) from None
    merged = Model(
        "merged",
        run.engine,
        studio.relative(folder),
        name=f"{run.stage} {best.name}",
        run=run.id,
        parent=best.id,
        step=best.step,
        round=run.round,
        train_loss=best.train_loss,
        validation_loss=best.validation_loss,
    )
    studio.store.add([merged])
    return merged


def forget_lost(studio: Studio) -> None:
    """Checkpoints of our own whose folder someone deleted are no longer models."""
    lost = [m for m in studio.store.all(Model) if m.run and m.adapter and not (studio.folder / m.adapter).exists()]
    if lost:
        studio.say(f"no longer on disk, so forgotten: {', '.join(m.adapter for m in lost)}.")
        studio.store.drop_models([m.id for m in lost])


def _say_leaks(studio: Studio, planned: Planned, learned: set[str]) -> None:
    """Shares of its own, or other poems beside it, may put a poem into one stage's training and another's test."""
    held = {row.poem for row in planned.job.examples if row.split != "train"} & learned
    if held:
        studio.say(
            f"{len(held)} poems held out of stage {planned.stage.name} were learned in an earlier one, so its "
            "validation and test losses flatter; give the stages the same shares."
        )
