"""A person reads: the desk for the open round, what was decided there, and votes."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from poetune.errors import ReviewError
from poetune.judge.rubric import load_rubric
from poetune.records import Candidate, Review, Vote
from poetune.review import decisions, queue
from poetune.review import votes as standing_votes
from poetune.review.agreement import Agreement, with_oneself, with_others
from poetune.review.gallery import Filter
from poetune.store.atomic import write_text
from poetune.store.queries import candidates
from poetune.studio.desk import Asked, Desk
from poetune.studio.gallery import ENDINGS, Kind
from poetune.studio.gating import shown
from poetune.studio.house import Studio
from poetune.studio.judge import standing


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Decisions that hold in the open round, and how steady its readers are."""

    accepted: int
    rejected: int
    poems: int
    steady: tuple[Agreement, ...]
    between: tuple[Agreement, ...]


def desk(studio: Studio) -> Desk:
    """The desk of the recipe's reviewer: the judge's best, some drawn past the judge, and silent repeats."""
    found = shown(studio, "review", ReviewError, also={act.candidate for act in studio.store.all(Review)})
    settings = studio.recipe.review
    order = standing(studio)
    if not order:
        studio.say("no judge has ranked these poems yet, so they come in random order (`poetune judge` ranks them).")
    listed = queue(found, order, settings.queue, studio.recipe.seed)
    criteria: tuple[tuple[str, str], ...] = ()
    if settings.rubric:
        rubric = load_rubric(settings.rubric, studio.folder / "rubrics")
        criteria = tuple((c.name, c.asks) for c in rubric.criteria)
    asked = Asked(tuple(settings.reasons), settings.rubric, criteria)
    return Desk(studio.store.path, listed, settings.reviewer, asked)


def held(studio: Studio, round_number: int) -> dict[str, Review]:
    """What holds for each candidate of a round after all undos, by whoever decided last."""
    of_round = {c.id for c in candidates(studio.store, round_number)}
    return {key: d for key, d in decisions(studio.store.all(Review)).items() if key in of_round}


def votes(studio: Studio, models: tuple[str, str] | None = None) -> list[Vote]:
    """The blind votes that hold; with `models` (ids), those on pairs of these two."""
    found = standing_votes(studio.store.all(Vote))
    if models is None:
        return found
    wrote = {c.id: c.model for c in studio.store.all(Candidate, "model IN (?, ?)", list(models))}
    return [vote for vote in found if {wrote.get(vote.left), wrote.get(vote.right)} == set(models)]


def reviewed(studio: Studio) -> Reviewed:
    """Counts and agreement for the open round."""
    found = candidates(studio.store, studio.round.number)
    of_round = {c.id for c in found}
    rows = [row for row in studio.store.all(Review) if row.candidate in of_round]
    actions = [act.action for act in decisions(rows).values()]
    return Reviewed(
        actions.count("accept"),
        actions.count("reject"),
        len(found),
        tuple(with_oneself(rows)),
        tuple(with_others(rows)),
    )


def export(studio: Studio, kind: str, to: Path | None) -> tuple[Path, int]:
    """The accepted poems in a format of the gallery, as a file in this project or `to`; returns it and its lines."""
    gallery = studio.gallery()
    try:
        text = gallery.export(cast(Kind, kind), Filter())
    finally:
        gallery.close()
    path = to or studio.folder / f"poems.{ENDINGS[cast(Kind, kind)]}"
    write_text(path, text)
    return path, text.count("\n")
