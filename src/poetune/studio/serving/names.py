"""Names by which a client asks for the project's models: checkpoints, merged models, the base, and `best`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from poetune.errors import EngineError
from poetune.ports import Weights
from poetune.records import Model
from poetune.store.queries import best_model
from poetune.studio.house import Studio

BEST = "best"


@dataclass(frozen=True, slots=True)
class Served:
    """Models and their weights by name, in the order shown; `best` is the best checkpoint, or else the base."""

    models: Mapping[str, Model]
    weights: Mapping[str, Weights]
    missing: tuple[str, ...] = ()

    def find(self, name: str) -> Weights:
        """The weights of a name; an empty one is the best. Raises EngineError for a name that is not served."""
        found = self.weights.get(name or BEST)
        if found is None:
            raise EngineError(f"there is no model {name!r} here; those that are: {', '.join(self.weights)}")
        return found


def served(studio: Studio) -> Served:
    """All models of the project that its engine can run; a name that two models have is followed by `@` and an id."""
    engine = studio.engine_name()
    base = studio.base_model()
    best = best_model(studio.store, engine) or base
    models = [base, *(m for m in studio.store.all(Model) if m.engine == engine and m.id != base.id)]
    count = Counter(_plain(model) for model in models)
    names, weights, missing = {BEST: best}, {BEST: studio.weights(best)}, []
    for model in models:
        name = _plain(model) if count[_plain(model)] == 1 else f"{_plain(model)}@{model.id[:6]}"
        try:
            weights[name] = studio.weights(model)
            names[name] = model
        except EngineError:
            missing.append(name)
    return Served(names, weights, tuple(missing))


def _plain(model: Model) -> str:
    name = model.name or model.id
    return f"{name}-merged" if model.kind == "merged" else name
