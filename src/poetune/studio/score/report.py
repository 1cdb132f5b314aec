"""How good is it: losses, copies, before and after with the same prompts and seeds, and the report that shows all."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from poetune.generate.grid import cells, missing
from poetune.judge.offline import OfflineCritic
from poetune.records import Candidate, Example, Model, Poem, Prompt, Run
from poetune.score.contents import Cost, Link, Point, Printed, Report
from poetune.score.figures import figures_csv
from poetune.score.pairs import pairs
from poetune.score.report import report as typeset
from poetune.score.voice import voice
from poetune.ship.usage import base_name
from poetune.store.atomic import write_text
from poetune.store.queries import runs_of
from poetune.studio import judge, prompting
from poetune.studio.generate import themes, write_cells
from poetune.studio.house import Studio
from poetune.studio.score.copies import copied
from poetune.studio.score.losses import loss_rows
from poetune.studio.score.models import best_or_fail, earlier, examples, written_by

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Told:
    """Where the report lies, and its gist."""

    html: str
    csv: str
    summary: str


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
    rows = examples(studio, best)
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
        copying=copied(studio, {"base": base, "tuned": written_by(studio, best)}, rows),
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
    for stage, merged in earlier(studio, best):
        ran = studio.store.one(Run, merged.run)
        links.append(Link("run", merged.run, f"{stage} on {ran.engine}, seed {ran.seed}" if ran else stage))
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
