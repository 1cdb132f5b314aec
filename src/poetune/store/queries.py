"""Named questions to the store, so that no other room writes SQL."""

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
    found = store.all(Model, "round = ? AND kind IN ('checkpoint', 'merged')", [round_number])
    return sorted(found, key=lambda m: (m.run, m.step))


def best_model(store: Store) -> Model | None:
    """The checkpoint with the lowest validation loss of the latest round that has one; the latest step on a tie."""
    found = store.all(Model, "kind = 'checkpoint'")
    if not found:
        return None
    latest = max(m.round for m in found)
    of_round = [m for m in found if m.round == latest]

    def worth(model: Model) -> tuple[float, int]:
        loss = model.validation_loss
        return (-(loss if loss is not None else float("inf")), model.step)

    return max(of_round, key=worth)


def candidates(store: Store, round_number: int) -> list[Candidate]:
    """The poems written in a round."""
    return store.all(Candidate, "round = ?", [round_number])


def verdicts(store: Store, contest: str) -> list[Verdict]:
    """The verdicts of a contest, in the order they were given."""
    return store.all(Verdict, "contest = ?", [contest])


def reviews_after(store: Store, token: str) -> list[Review]:
    """The review rows that came after the one with this token; all of them for an unknown one."""
    return store.all(Review, "seq > coalesce((SELECT seq FROM reviews WHERE token = ?), 0)", [token])
