"""A person reads: the desk for the open round, pairs of two models, and what was decided."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from poetune.errors import ReviewError
from poetune.judge.rubric import load_rubric
from poetune.records import Candidate, Model, Review, Vote
from poetune.review import decisions, queue
from poetune.review import votes as standing_votes
from poetune.review.agreement import Agreement, with_oneself, with_others
from poetune.review.gallery import Filter
from poetune.review.sides import pairs
from poetune.store.atomic import write_text
from poetune.store.queries import candidates
from poetune.studio.ballot import Ballots
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


def ballots(studio: Studio, one: str, other: str) -> Ballots:
    """Pairs of two models' poems, of the same prompts and seeds, for blind votes."""
    first, second = model_named(studio, one), model_named(studio, other)
    if first.id == second.id:
        raise ReviewError(f"{one} and {other} are the same model; name two.")
    written = [studio.store.all(Candidate, "model = ? AND gate = ''", [model.id]) for model in (first, second)]
    settings = studio.recipe.review
    shown = pairs(written[0], written[1], settings.reviewer, studio.recipe.seed)
    return Ballots(studio.store.path, shown[: settings.queue or None], settings.reviewer)


def model_named(studio: Studio, name: str) -> Model:
    """The model of that name or id that wrote something, the latest of several. Raises ReviewError where none did."""
    wrote = "id IN (SELECT DISTINCT model FROM candidates)"
    found = studio.store.all(Model, wrote)
    named = [model for model in found if name in (model.name, model.id) or model.id.startswith(name)]
    if not named:
        known = ", ".join(dict.fromkeys(model.name or model.id for model in found)) or "none yet"
        raise ReviewError(f"no model called {name!r} has written a poem; those that have are: {known}.")
    return named[-1]


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
