"""Where the project stands, and what comes next."""

from dataclasses import dataclass

from poetune.records import Model, Poem
from poetune.store.queries import best_of, candidates, checkpoints, models_of, role_of, runs_of
from poetune.studio.house import Studio
from poetune.studio.judge import standing
from poetune.studio.review import reviewed


@dataclass(frozen=True, slots=True)
class Standing:
    """The project in a few figures; `next` is a command line."""

    name: str
    round: int
    language: str
    engine: str
    base: str
    counts: dict[str, int]
    trained: "list[Trained]"
    next: str


@dataclass(frozen=True, slots=True)
class Trained:
    """One training of the round whose checkpoints are there. `role` is `last`, `earlier` or `sweep`; losses are
    nats per supervised token; `best` marks the checkpoint that writes, is scored and ships.
    """

    stage: str
    run: str
    role: str
    checkpoints: list[dict[str, float | None]]
    best_step: int
    best: bool


def status(studio: Studio) -> Standing:
    """Read the store; load nothing."""
    number = studio.round.number
    poems = studio.store.all(Poem)
    models, written = models_of(studio.store, number), candidates(studio.store, number)
    ranked, read = standing(studio), reviewed(studio)
    counts = {
        "poems": len(poems),
        "of rounds": sum(poem.origin != "corpus" for poem in poems),
        "checkpoints": len(models),
        "candidates": len(written),
        "ranked": len(ranked),
        "accepted": read.accepted,
        "rejected": read.rejected,
    }
    steps = [
        (not poems, "poetune corpus FOLDER_OR_FILE"),
        (not models, "poetune finetune"),
        (not written, "poetune generate"),
        (not ranked, "poetune judge"),
        (not read.accepted, "poetune review"),
        (True, "poetune rounds close"),
    ]
    recipe = studio.recipe
    return Standing(
        recipe.name,
        number,
        studio.language(),
        recipe.engine,
        recipe.base,
        counts,
        _trained(studio, best_of(models)),
        next(command for needed, command in steps if needed),
    )


def _trained(studio: Studio, best: Model | None) -> list[Trained]:
    found = []
    for run in runs_of(studio.store, studio.round.number):
        kept = checkpoints(studio.store, run.id)
        own = best_of(kept)
        if own is not None:
            steps = [{"step": m.step, "train_loss": m.train_loss, "validation_loss": m.validation_loss} for m in kept]
            marked = best is not None and best.id == own.id
            found.append(Trained(run.stage, run.id, role_of(studio.store, run.id), steps, own.step, marked))
    return found
