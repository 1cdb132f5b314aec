"""Which models are scored, under which names, and what they learned from."""

from poetune.errors import EngineError
from poetune.records import Candidate, Dataset, Example, Model, Run
from poetune.store.queries import ancestors, best_model
from poetune.studio import dataset as dataset_stage
from poetune.studio.house import Studio


def best_or_fail(studio: Studio) -> Model:
    """The best checkpoint. Raises EngineError where there is none."""
    found = best_model(studio.store, studio.engine().capabilities.name)
    if found is None:
        raise EngineError("there is no checkpoint to score; run `poetune finetune` first.")
    return found


def earlier(studio: Studio, best: Model) -> list[tuple[str, Model]]:
    """The merged models of the stages before, in order, under the stages' names."""
    merged = [m for m in ancestors(studio.store, best) if m.kind == "merged"]
    runs = {m.id: studio.store.one(Run, m.run) for m in merged}
    return [(run.stage, m) for m in merged if (run := runs[m.id]) is not None]


def examples(studio: Studio, model: Model) -> list[Example]:
    """The rows of the data set that a checkpoint was trained with; of the current one for a foreign checkpoint."""
    run = studio.store.one(Run, model.run) if model.run else None
    data = studio.store.one(Dataset, run.dataset) if run else None
    return dataset_stage.examples(studio, data or dataset_stage.current(studio))


def written_by(studio: Studio, model: Model) -> list[Candidate]:
    """Everything that a model wrote, in any round."""
    return [c for c in studio.store.all(Candidate) if c.model == model.id]
