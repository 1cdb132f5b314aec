"""How good is it: losses, copies, before and after with the same prompts and seeds, and the report that shows all."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from poetune.errors import EngineError
from poetune.generate.grid import cells, missing
from poetune.judge.offline import OfflineCritic
from poetune.ports import ScoreRequest
from poetune.records import Candidate, Dataset, Example, Model, Poem, Prompt, Run, Split
from poetune.score.contents import Copying, CopyRow, Cost, Link, LossRow, Point, Printed, Report
from poetune.score.copying import copying, copying_text
from poetune.score.figures import figures_csv
from poetune.score.losses import loss_row, losses_text
from poetune.score.pairs import pairs
from poetune.score.report import report as typeset
from poetune.score.voice import voice
from poetune.ship.usage import base_name
from poetune.store.atomic import write_text
from poetune.store.queries import ancestors, best_model, candidates, runs_of
from poetune.studio import dataset as dataset_stage
from poetune.studio import judge, prompting
from poetune.studio.generate import themes, write_cells
from poetune.studio.house import Studio

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as plain data, and the same as text."""

    rows: list[dict[str, object]]
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """Where the report lies, and its gist."""

    html: str
    csv: str
    summary: str


def best_or_fail(studio: Studio) -> Model:
    """The best checkpoint. Raises EngineError where there is none."""
    found = best_model(studio.store, studio.engine().capabilities.name)
    if found is None:
        raise EngineError("there is no checkpoint to score; run `poetune finetune` first.")
    return found


def loss_rows(studio: Studio, best: Model) -> list[LossRow]:
    """Base, earlier stages and checkpoint on the validation and test poems of the checkpoint's own data set."""
    rows = _examples(studio, best)
    splits: tuple[Split, ...] = ("validation", "test")
    found: list[LossRow] = []
    asked_of = [("base", studio.base_of(best)), *_earlier(studio, best), (best.name, best)]
    total = sum(row.split in splits for row in rows) * len(asked_of)
    studio.listener.begin("scoring", total)
    try:
        for split in splits:
            part = [row for row in rows if row.split == split]
            for label, model in asked_of:
                asked = [ScoreRequest(studio.weights(model), r.completion, r.conversation, r.plain) for r in part]
                scores = studio.generator().score(asked) if asked else []
                studio.listener.advance(len(asked))
                row = loss_row(label, split, scores, [len(r.completion.encode()) for r in part])
                if row is not None:
                    found.append(row)
    finally:
        studio.listener.end()
    return found


def _earlier(studio: Studio, best: Model) -> list[tuple[str, Model]]:
    """The merged models of the stages before, in order, under the stages' names."""
    merged = [m for m in ancestors(studio.store, best) if m.kind == "merged"]
    runs = {m.id: studio.store.one(Run, m.run) for m in merged}
    return [(run.stage, m) for m in merged if (run := runs[m.id]) is not None]


def losses(studio: Studio) -> Table:
    """The loss table."""
    rows = loss_rows(studio, best_or_fail(studio))
    return Table([asdict(row) for row in rows], losses_text(rows).rstrip("\n"))


def _examples(studio: Studio, model: Model) -> list[Example]:
    run = studio.store.one(Run, model.run) if model.run else None
    data = studio.store.one(Dataset, run.dataset) if run else None
    return dataset_stage.examples(studio, data or dataset_stage.current(studio))


def _copying(studio: Studio, samples: dict[str, list[Candidate]], rows: list[Example]) -> Copying:
    poems = {p.id: p for p in studio.store.all(Poem)}
    settings = studio.recipe.score
    trained = [poems[key] for key in {r.poem for r in rows if r.split == "train"} if key in poems]
    apart = [poems[key] for key in {r.poem for r in rows if r.split != "train"} if key in poems]
    prompts = {p.id: p for p in studio.store.all(Prompt)}
    order = {key: i for i, key in enumerate(poems)}
    return copying(
        samples,
        sorted(trained, key=lambda p: order[p.id]),
        sorted(apart, key=lambda p: order[p.id]),
        prompts,
        settings.copied_words,
        settings.copied_characters,
    )


def measured_copies(studio: Studio, model: Model, rows: list[Example]) -> tuple[CopyRow, ...]:
    """Copied lines of everything that a model wrote, beside those of the poet's own held-out poems."""
    return _copying(studio, {"tuned": _all_of(studio, model)}, rows).rows


def copies(studio: Studio) -> Table:
    """Copied lines of the open round's candidates by checkpoint, beside those of the poet's own held-out poems."""
    models = {m.id: m for m in studio.store.all(Model)}
    poems = candidates(studio.store, studio.round.number)
    several = len({models[c.model].run for c in poems if c.model in models}) > 1
    samples: dict[str, list[Candidate]] = {}
    for poem in poems:
        model = models.get(poem.model)
        label = poem.model if model is None else f"{model.name} ({model.id})" if several else model.name
        samples.setdefault(label, []).append(poem)
    if not samples:
        raise EngineError("there is no poem to look for copies in; run `poetune generate` first.")
    found = _copying(studio, samples, _examples(studio, best_or_fail(studio)))
    rows: list[dict[str, object]] = [{**asdict(r), "share": r.share} for r in found.rows]
    return Table(rows, copying_text(found).rstrip("\n"))


def before_after(studio: Studio, best: Model) -> tuple[list[Candidate], list[Candidate]]:
    """Base and best checkpoint on the same prompts and seeds; what is missing is written, outside any round."""
    count, name = studio.recipe.score.prompts, studio.recipe.generate.templates[0]
    prompts = prompting.one_each(studio, themes(studio)[:count], name)[:count]
    sampling = studio.recipe.generate.sampling()
    found: list[list[Candidate]] = []
    for model in (studio.base_of(best), best):
        grid = list(cells([model], prompts, sampling, 1, studio.recipe.seed))
        todo = missing(grid, studio.store.ids(Candidate))
        if todo:
            write_cells(studio, todo, f"writing ({model.name})", round_number=0)
        found.append([c for cell in grid if (c := studio.store.one(Candidate, cell.id))])
    return found[0], found[1]


def report(studio: Studio) -> Told:
    """Measure everything and write `report.html` and `report.csv` into the project."""
    best = best_or_fail(studio)
    rows = _examples(studio, best)
    base, tuned = before_after(studio, best)
    critic = OfflineCritic(judge.features(studio, tuned))
    poems = studio.store.all(Poem)
    poet = [p.text for p in poems if p.origin == "corpus"]
    measured = loss_rows(studio, best)
    contents = Report(
        title=studio.recipe.name,
        poet="",
        about=(
            f"What a language model learned from {len(poet)} poems, and what it wrote: "
            f"round {studio.round.number}, {best.name} on top of {base_name(studio.base_of(best).base)}.",
        ),
        made=datetime.now(UTC).strftime("%Y-%m-%d"),
        best=tuple(
            Printed(p.text, p.title, f"{p.theme} · {p.template} · {p.model}") for p in judge.best(studio, SHOWN)
        ),
        judged_by=_judged_by(studio),
        pairs=pairs(base, tuned, _prompts(studio), {c.id: critic.worth(c.id) for c in tuned}),
        curve=_points(studio, best.run),
        losses=tuple(measured),
        voice=voice(poet, {"base": [c.text for c in base], "tuned": [c.text for c in tuned]}),
        copying=_copying(studio, {"base": base, "tuned": _all_of(studio, best)}, rows),
        lineage=_lineage(studio, best, rows),
        costs=_costs(studio, best),
        notes=("The offline critic counts and does not read; a person's judgement goes before it.",),
    )
    html, csv = studio.folder / "report.html", studio.folder / "report.csv"
    _write_if_changed(html, typeset(contents))
    _write_if_changed(csv, figures_csv(contents))
    gist = {(row.model, row.split): row.loss for row in measured}
    parts = [
        f"{split} loss {gist['base', split]:.3f} -> {gist[best.name, split]:.3f}"
        for split in ("validation", "test")
        if ("base", split) in gist and (best.name, split) in gist
    ]
    return Told(str(html), str(csv), f"Best checkpoint {best.name}" + (": " + ", ".join(parts) if parts else "") + ".")


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def _prompts(studio: Studio) -> dict[str, Prompt]:
    return {p.id: p for p in studio.store.all(Prompt)}


def _all_of(studio: Studio, model: Model) -> list[Candidate]:
    return [c for c in studio.store.all(Candidate) if c.model == model.id]


def _judged_by(studio: Studio) -> str:
    contest = studio.store.fact(f"contest:{studio.round.number}")
    return studio.store.fact(f"judge:{contest}") if contest else ""


def _points(studio: Studio, run: str) -> tuple[Point, ...]:
    steps: dict[int, dict[str, float]] = {}
    for step, kind, loss, _ in studio.store.losses(run):
        steps.setdefault(step, {})[kind] = loss
    return tuple(Point(step, found.get("train"), found.get("validation")) for step, found in sorted(steps.items()))


def _lineage(studio: Studio, best: Model, rows: list[Example]) -> tuple[Link, ...]:
    run = studio.store.one(Run, best.run) if best.run else None
    poems = studio.store.all(Poem)
    own = sum(p.origin != "corpus" for p in poems)
    links = [Link("corpus", "", f"{len(poems) - own} poems of the poet" + (f", {own} accepted ones" if own else ""))]
    for stage, merged in _earlier(studio, best):
        earlier = studio.store.one(Run, merged.run)
        links.append(Link("run", merged.run, f"{stage} on {earlier.engine}, seed {earlier.seed}" if earlier else stage))
        links.append(Link("merged model", merged.id, f"{merged.name}, merged into its base for the next stage"))
    if run:
        settings = json.dumps(run.recipe.get("finetune", {}), ensure_ascii=False)
        links.append(Link("data set", run.dataset, f"{len(rows)} examples"))
        links.append(Link("run", run.id, f"{run.stage} on {run.engine}, seed {run.seed}: {settings}"))
    links.append(Link("checkpoint", best.id, f"{best.name} of {base_name(studio.base_of(best).base)}"))
    return tuple(links)


def _costs(studio: Studio, best: Model) -> tuple[Cost, ...]:
    seconds = studio.store.fact(f"run:{best.run}:seconds")
    found = [Cost("training", float(seconds), "s")] if seconds else []
    found.append(Cost("poems written", float(studio.store.count(Candidate)), "poems"))
    found.append(Cost("trainings", float(len(runs_of(studio.store, studio.round.number))), "runs this round"))
    return tuple(found)
