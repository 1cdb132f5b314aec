"""The sheets of a report: what was measured before and can be told again without writing or asking anything."""

from collections.abc import Mapping, Sequence
from typing import Literal

from poetune.errors import PoetuneError
from poetune.generate.tally import tally
from poetune.records import Candidate, Model, Prompt
from poetune.score.sheet import Sheet
from poetune.score.sheets import contest_sheets, courses_sheet, gates_sheet, steps_sheet
from poetune.store.queries import candidates
from poetune.studio import prompting
from poetune.studio.house import Studio
from poetune.studio.score.checkpoints import checkpoints
from poetune.studio.score.contest import told_again
from poetune.studio.score.courses import courses
from poetune.studio.score.losses import empty_splits
from poetune.studio.score.models import examples, written_by
from poetune.studio.score.novelty import novelty, themes, variety, whose
from poetune.studio.score.readers import readers
from poetune.verse.authorship import FEWEST


def gathered(
    studio: Studio, best: Model, sets: Mapping[str, Sequence[Candidate]]
) -> tuple[tuple[Sheet, ...], list[str]]:
    """All sheets in the order of the report, and notes on those that are missing."""
    sheets: list[Sheet] = []
    notes: list[str] = []
    voices = whose(studio, sets)
    if voices is None:
        notes.append(f"Whose voice it is cannot be said: that takes two poets with at least {FEWEST} poems each.")
    else:
        sheets.append(voices)
    notes += empty_splits(examples(studio, best))
    contest = told_again(studio)
    if contest is None:
        notes.append("No contestants here: `poetune score compare` puts base, stages and checkpoints side by side.")
    else:
        sheets += contest_sheets(contest)
    steps = checkpoints(studio, write=False)
    if len(steps.steps) > 1:
        sheets.append(steps_sheet(steps.steps, steps.advice, steps.own_copied))
    else:
        notes.append("No checkpoints beside the best one here: `poetune score checkpoints` lets every one write.")
    kinds: tuple[Literal["lengths", "decoding"], ...] = ("lengths", "decoding")
    for kind in kinds:
        try:
            found = courses(studio, kind, write=False)
        except PoetuneError:  # a corpus without line lengths says so where the command is given
            continue
        if len(found.ways) > 1:
            sheets.append(courses_sheet(found))
    plain = {p.id for p in studio.store.all(Prompt) if not p.theme or p.system in prompting.systems(studio)}
    wide = {
        label: [c for c in written_by(studio, model) if c.prompt in plain]
        for label, model in (("base", studio.base_of(best)), ("tuned", best))
    }
    sheets += [
        novelty(studio, best, sets),
        variety(studio, sets, wide),
        themes(studio, sets),
        readers(studio),
        _gates(studio),
    ]
    return tuple(sheets), notes


def _gates(studio: Studio) -> Sheet:
    """What the gates of the open round held back."""
    models = {m.id: m for m in studio.store.all(Model)}
    prompts = {p.id: p for p in studio.store.all(Prompt)}
    found = tally(candidates(studio.store, studio.round.number), models, prompts)
    gates = sorted({gate for row in found for gate in row.gates})
    rows = [
        (f"{row.model}, {row.template}", (row.written, row.passed, *(row.gates.get(gate, 0) for gate in gates)))
        for row in found
    ]
    return gates_sheet(rows, gates)
