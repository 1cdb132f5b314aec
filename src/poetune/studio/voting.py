"""Two contestants before a reader who does not know which is which."""

from poetune.errors import ReviewError
from poetune.records import Candidate
from poetune.review.sides import pairs
from poetune.studio.ballot import Ballots
from poetune.studio.house import Studio
from poetune.studio.score.contestants import contestants, prompts_of, written


def ballots(studio: Studio, one: str, other: str) -> Ballots:
    """Pairs of two contestants' poems, of the same prompts and seeds: those of `score compare`, which are written where
    they are missing, and all others that both have. Names are those of `score compare`.
    """
    first, second = (contestants(studio, [name], prompted=False)[0] for name in (one, other))
    if first.model.id == second.model.id:
        raise ReviewError(f"{one} and {other} are the same model; name two.")
    prompts = prompts_of(studio, studio.recipe.score.prompts)
    for each in (first, second):
        written(studio, each, prompts, studio.recipe.generate.sampling())
    poems = [studio.store.all(Candidate, "model = ?", [each.model.id]) for each in (first, second)]
    settings = studio.recipe.review
    shown = pairs(poems[0], poems[1], settings.reviewer, studio.recipe.seed)
    return Ballots(studio.store.path, shown[: settings.queue or None], settings.reviewer)
