"""Where the project stands, and what comes next."""

from dataclasses import dataclass

from poetune.records import Poem
from poetune.store.queries import candidates, models_of
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
    next: str


def status(studio: Studio) -> Standing:
    """Read the store; load nothing."""
    number = studio.round.number
    poems = studio.store.all(Poem)
    checkpoints, written = models_of(studio.store, number), candidates(studio.store, number)
    ranked, read = standing(studio), reviewed(studio)
    counts = {
        "poems": len(poems),
        "of rounds": sum(poem.origin != "corpus" for poem in poems),
        "checkpoints": len(checkpoints),
        "candidates": len(written),
        "ranked": len(ranked),
        "accepted": read.accepted,
        "rejected": read.rejected,
    }
    steps = [
        (not poems, "poetune corpus FOLDER_OR_FILE"),
        (not checkpoints, "poetune finetune"),
        (not written, "poetune generate"),
        (not ranked, "poetune judge"),
        (not read.accepted, "poetune review"),
        (True, "poetune rounds next"),
    ]
    recipe = studio.recipe
    return Standing(
        recipe.name,
        number,
        studio.language(),
        recipe.engine,
        recipe.base,
        counts,
        next(command for needed, command in steps if needed),
    )
