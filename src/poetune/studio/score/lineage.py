"""Where a checkpoint came from, and what it took."""

from poetune.records import Candidate, Example, Model, Poem, Run
from poetune.score.contents import Cost, Link, Point, Training
from poetune.ship.usage import base_name
from poetune.store.queries import runs_of
from poetune.studio.house import Studio
from poetune.studio.score.models import earlier

_TOLD = ("method", "rank", "alpha", "layers", "rate", "batch", "steps", "epochs", "optimizer", "dropout", "quantize")


def lineage(studio: Studio, best: Model, rows: list[Example]) -> tuple[Link, ...]:
    """From the corpus to the checkpoint."""
    run = studio.store.one(Run, best.run) if best.run else None
    poems = studio.store.all(Poem)
    own = sum(p.origin != "corpus" for p in poems)
    links = [Link("corpus", "", f"{len(poems) - own} poems of the poet" + (f", {own} accepted ones" if own else ""))]
    for stage, merged in earlier(studio, best):
        ran = studio.store.one(Run, merged.run)
        links.append(Link("run", merged.run, f"{stage} on {ran.engine}, seed {ran.seed}" if ran else stage))
        links.append(Link("merged model", merged.id, f"{merged.name}, merged into its base for the next stage"))
    if run:
        learned = run.recipe.get("finetune", {})
        settings = ", ".join(f"{name} {learned[name]}" for name in _TOLD if learned.get(name) not in (None, "", []))
        links.append(Link("data set", run.dataset, f"{len(rows)} examples"))
        links.append(Link("run", run.id, f"{run.stage} on {run.engine}, seed {run.seed}: {settings}"))
    links.append(Link("checkpoint", best.id, f"{best.name} of {base_name(studio.base_of(best).base)}"))
    return tuple(links)


def costs(studio: Studio, best: Model) -> tuple[Cost, ...]:
    """Time and counts, of every stage."""
    found = []
    for run in _runs(studio, best):
        seconds = studio.store.fact(f"run:{run.id}:seconds")
        if seconds:
            found.append(Cost(f"training ({run.stage})", float(seconds), "s"))
    found.append(Cost("poems written", float(studio.store.count(Candidate)), "poems"))
    found.append(Cost("trainings", float(len(runs_of(studio.store, studio.round.number))), "runs this round"))
    return tuple(found)


def trainings(studio: Studio, best: Model) -> tuple[Training, ...]:
    """The curves of every stage, the first one first."""
    return tuple(
        Training(run.stage, _points(studio, run.id), tuple(studio.store.gradient_norms(run.id)))
        for run in _runs(studio, best)
    )


def _runs(studio: Studio, best: Model) -> list[Run]:
    keys = [*(merged.run for _, merged in earlier(studio, best)), best.run]
    return [run for key in keys if key and (run := studio.store.one(Run, key))]


def _points(studio: Studio, run: str) -> tuple[Point, ...]:
    steps: dict[int, dict[str, float]] = {}
    for step, kind, loss, _ in studio.store.losses(run):
        steps.setdefault(step, {})[kind] = loss
    return tuple(Point(step, found.get("train"), found.get("validation")) for step, found in sorted(steps.items()))
