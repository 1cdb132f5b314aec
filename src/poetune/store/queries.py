"""Named questions to the store, so that no other room writes SQL."""

import math
from collections.abc import Sequence

from poetune.records import Candidate, Model, Review, Round, Run, Verdict
from poetune.store.database import Store


def current_round(store: Store) -> Round:
    """The round that is open: the latest one."""
    rounds = sorted(store.all(Round), key=lambda r: r.number)
    return rounds[-1] if rounds else Round(1, 0)


def runs_of(store: Store, round_number: int) -> list[Run]:
    """The trainings of a round, in the order they were begun."""
    return store.all(Run, "round = ?", [round_number])


def checkpoints(store: Store, run: str) -> list[Model]:
    """A run's checkpoints by step."""
    return sorted(store.all(Model, "run = ? AND kind = 'checkpoint'", [run]), key=lambda m: m.step)


def models_of(store: Store, round_number: int) -> list[Model]:
    """All checkpoints, trained or registered, of a round."""
    found = store.all(Model, "round = ? AND kind = 'checkpoint'", [round_number])
    return sorted(found, key=lambda m: (m.run, m.step))


def best_model(store: Store, engine: str) -> Model | None:
    """The best checkpoint of an engine, of the latest round that has one."""
    found = store.all(Model, "kind = 'checkpoint' AND engine = ?", [engine])
    return best_of([m for m in found if m.round == max(each.round for each in found)])


def best_of(models: Sequence[Model]) -> Model | None:
    """The lowest validation loss; then the lowest training loss and the latest step, where that says nothing."""

    def worth(model: Model) -> tuple[float, float, int]:
        held, learned = (-math.inf if x is None else -x for x in (model.validation_loss, model.train_loss))
        return held, learned, model.step

    return max(models, key=worth, default=None)


def candidates(store: Store, round_number: int) -> list[Candidate]:
    """The poems written in a round."""
    return store.all(Candidate, "round = ?", [round_number])


def verdicts(store: Store, contest: str) -> list[Verdict]:
    """The verdicts of a contest, in the order they were given."""
    return store.all(Verdict, "contest = ?", [contest])


def reviews_after(store: Store, token: str) -> list[Review]:
    """The review rows that came after the one with this token; all of them for an unknown one."""
    return store.all(Review, "seq > coalesce((SELECT seq FROM reviews WHERE token = ?), 0)", [token])
