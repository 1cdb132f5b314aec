"""A person reads: the desk for the open round, and what was decided there."""

from dataclasses import dataclass

from poetune.errors import ReviewError
from poetune.records import Review
from poetune.review import Decision, decisions, queue
from poetune.store.queries import candidates
from poetune.studio.desk import Desk
from poetune.studio.house import Studio
from poetune.studio.judge import standing


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Decisions that hold in the open round."""

    accepted: int
    rejected: int
    poems: int


def desk(studio: Studio) -> Desk:
    """The desk of the recipe's reviewer: the judge's best first."""
    found = candidates(studio.store, studio.round.number)
    if not found:
        raise ReviewError("there is no poem to review in this round; run `poetune generate` first.")
    settings = studio.recipe.review
    order = standing(studio)
    if not order:
        studio.say("no judge has ranked these poems yet, so they come in random order (`poetune judge` ranks them).")
    shown = queue(found, order, settings.queue, studio.recipe.seed)
    return Desk(studio.store.path, shown, settings.reviewer)


def held(studio: Studio, round_number: int) -> dict[str, Decision]:
    """What holds for each candidate of a round after all undos, by whoever decided last."""
    of_round = {c.id for c in candidates(studio.store, round_number)}
    return {key: d for key, d in decisions(studio.store.all(Review)).items() if key in of_round}


def reviewed(studio: Studio) -> Reviewed:
    """Counts for the open round."""
    found = held(studio, studio.round.number)
    actions = [d.action for d in found.values()]
    total = len(candidates(studio.store, studio.round.number))
    return Reviewed(actions.count("accept"), actions.count("reject"), total)
