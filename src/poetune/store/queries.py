"""Named questions to the store, so that no other room writes SQL."""

import math
from collections.abc import Sequence
from typing import Literal, TypeVar

from poetune.records import Call, Candidate, Model, Review, Round, Run, Verdict, Vote
from poetune.store.database import Store

A = TypeVar("A", Review, Vote)
Role = Literal["last", "earlier", "sweep", "poet"]


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


def set_role(store: Store, run: str, role: Role) -> None:
    """Say what a run's checkpoints are for: only those of a `last` stage write, are scored and ship."""
    store.remember(f"run:{run}:role", role)


def role_of(store: Store, run: str) -> str:
    """`last`, `earlier` (a stage before the last), `sweep` or `poet` (a poet's own); `last` where nothing was said."""
    return store.fact(f"run:{run}:role") or "last"


def models_of(store: Store, round_number: int, stages: Sequence[str] = ()) -> list[Model]:
    """All checkpoints of a round that write, trained or registered; of the stages named, also earlier ones.

    `blend` among the stages stands for all blends of adapters; the id of a blend for that one.
    """
    found = store.all(Model, "round = ? AND kind = 'checkpoint'", [round_number])
    if stages:
        blends = [m for m in store.all(Model, "kind = 'blend'") if "blend" in stages or m.id in stages]
        runs = {run.id for run in store.all(Run) if run.stage in stages and role_of(store, run.id) != "sweep"}
        found = [*(model for model in found if model.run in runs), *blends]
    return sorted(found if stages else _last(store, found), key=lambda m: (m.run, m.step))


def best_model(store: Store, engine: str) -> Model | None:
    """The best checkpoint of an engine, of the latest round that has one."""
    found = _last(store, store.all(Model, "kind = 'checkpoint' AND engine = ?", [engine]))
    return best_of([m for m in found if m.round == max(each.round for each in found)])


def _last(store: Store, models: Sequence[Model]) -> list[Model]:
    roles = {run: role_of(store, run) for run in {model.run for model in models}}
    return [model for model in models if roles[model.run] == "last"]


def merged_of(store: Store, run: str) -> Model | None:
    """What a stage handed on: its best checkpoint merged into its base."""
    found = store.all(Model, "run = ? AND kind = 'merged'", [run])
    return found[-1] if found else None


def came_from(store: Store, model: Model) -> Model | None:
    """The model that this one was trained on, or merged from the training of; None for a base."""
    run = store.one(Run, model.run) if model.run else None
    return store.one(Model, run.parent if run else model.parent)


def ancestors(store: Store, model: Model) -> list[Model]:
    """What a model came from, its base first: a base, then the merged model of each earlier stage."""
    found: list[Model] = []
    above = came_from(store, model)
    while above is not None and above not in found:
        found.insert(0, above)
        above = came_from(store, above)
    return found


def best_of(models: Sequence[Model]) -> Model | None:
    """The lowest validation loss; then the lowest training loss and the latest step, where that says nothing."""

    def worth(model: Model) -> tuple[float, float, int]:
        held, learned = (-math.inf if x is None else -x for x in (model.validation_loss, model.train_loss))
        return held, learned, model.step

    return max(models, key=worth, default=None)


def candidates(store: Store, round_number: int) -> list[Candidate]:
    """The poems written in a round."""
    return store.all(Candidate, "round = ?", [round_number])


def calls(store: Store, contest: str) -> list[Call]:
    """What a contest's requests took, or may take."""
    return store.all(Call, "contest = ?", [contest])


def calls_to(store: Store, model: str) -> list[Call]:
    """The answered calls to a model, of any contest."""
    return store.all(Call, "model = ? AND state = 'answered'", [model])


def verdicts_by(store: Store, judge: str, rubric: str, round_number: int) -> list[Verdict]:
    """All that a judge said under a rubric in a round, in whatever contest."""
    return store.all(Verdict, "judge = ? AND rubric = ? AND round = ?", [judge, rubric, round_number])


def verdicts(store: Store, contest: str) -> list[Verdict]:
    """The verdicts of a contest, in the order they were given."""
    return store.all(Verdict, "contest = ?", [contest])


def acts_after(store: Store, kind: type[A], token: str) -> list[A]:
    """The reviews or votes that came after the one with this token; all of them for an unknown one."""
    table = {Review: "reviews", Vote: "votes"}[kind]
    after = f"seq > coalesce((SELECT seq FROM {table} WHERE token = ?), 0)"  # noqa: S608 - names are ours
    return store.all(kind, after, [token])
