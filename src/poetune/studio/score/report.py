"""The report: everything measured is gathered and set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from poetune.judge.offline import OfflineCritic
from poetune.records import Poem, Prompt
from poetune.score.contents import Printed, Report
from poetune.score.figures import figures_csv
from poetune.score.pairs import pairs
from poetune.score.report import report as typeset
from poetune.score.voice import voice
from poetune.ship.usage import base_name
from poetune.store.atomic import write_text
from poetune.studio import judge
from poetune.studio.house import Studio
from poetune.studio.score.contestants import Contestant, prompts_of, written
from poetune.studio.score.copies import copied
from poetune.studio.score.gathered import gathered
from poetune.studio.score.lineage import costs, lineage, trainings
from poetune.studio.score.losses import loss_rows
from poetune.studio.score.models import best_or_fail, examples, written_by

SHOWN, OTHERS = 5, 3


@dataclass(frozen=True, slots=True)
class Told:
    """Where the report lies, and its gist."""

    html: str
    csv: str
    summary: str


def report(studio: Studio) -> Told:
    """Measure everything and write `report.html` and `report.csv` into the project."""
    best = best_or_fail(studio)
    rows = examples(studio, best)
    prompts, sampling = prompts_of(studio, studio.recipe.score.prompts), studio.recipe.generate.sampling()
    first, last = Contestant("base", studio.base_of(best)), Contestant(best.name, best)
    base, tuned = (written(studio, who, prompts, sampling) for who in (first, last))
    worth = OfflineCritic(judge.features(studio, tuned)).worth
    poems = studio.store.all(Poem)
    poet = [p.text for p in poems if p.origin == "corpus"]
    measured = loss_rows(studio, best)
    sets = {"base": base, "tuned": tuned}
    sheets, notes = gathered(studio, best, sets)
    ranked = judge.best(studio, len(judge.standing(studio)))
    middle = len(ranked) // 2
    contents = Report(
        title=studio.recipe.name,
        poet="",
        about=(
            f"What a language model learned from {len(poet)} poems, and what it wrote: "
            f"round {studio.round.number}, {best.name} on top of {base_name(studio.base_of(best).base)}.",
        ),
        made=datetime.now(UTC).strftime("%Y-%m-%d"),
        best=_printed(ranked[:SHOWN]),
        typical=_printed(ranked[middle : middle + OTHERS]) if len(ranked) >= SHOWN + 2 * OTHERS else (),
        worst=_printed(ranked[-OTHERS:]) if len(ranked) >= SHOWN + OTHERS else (),
        judged_by=_judged_by(studio),
        pairs=pairs(base, tuned, {p.id: p for p in studio.store.all(Prompt)}, {c.id: worth(c.id) for c in tuned}),
        trainings=trainings(studio, best),
        losses=tuple(measured),
        voice=voice(poet, {label: [c.text for c in found] for label, found in sets.items()}),
        sheets=sheets,
        copying=copied(studio, {"base": base, "tuned": written_by(studio, best)}, rows),
        lineage=lineage(studio, best, rows),
        costs=costs(studio, best),
        notes=("The offline critic counts and does not read; a person's judgement goes before it.", *notes),
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


def _printed(placed: Sequence[judge.Placed]) -> tuple[Printed, ...]:
    return tuple(Printed(p.text, p.title, f"{p.theme} · {p.template} · {p.model}") for p in placed)


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def _judged_by(studio: Studio) -> str:
    contest = studio.store.fact(f"contest:{studio.round.number}")
    return studio.store.fact(f"judge:{contest}") if contest else ""
