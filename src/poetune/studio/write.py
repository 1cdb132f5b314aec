"""One poem at once, from the best model, outside the grid but kept like any candidate."""

from dataclasses import dataclass
from pathlib import Path

from poetune.corpus.decoding import decode
from poetune.errors import EngineError
from poetune.generate.asked import check_asked
from poetune.generate.grid import cells, missing
from poetune.generate.samples import sample_block
from poetune.records import Candidate, Model, Prompt
from poetune.store.atomic import append_text
from poetune.store.queries import best_model
from poetune.studio import prompting
from poetune.studio.generate import write_cells
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Poems:
    """What was written, in full: a first line or an unfinished poem included."""

    model: str
    texts: list[str]
    titles: list[str]


def write(
    studio: Studio,
    theme: str,
    first_line: str = "",
    unfinished: Path | None = None,
    poems: int = 1,
    template: str = "",
    from_base: bool = False,
    seed: int | None = None,
    append: Path | None = None,
) -> Poems:
    """Write, or fetch if the same was written before. Raises EngineError for an unfinished poem that is empty."""
    opening = first_line
    if unfinished is not None:
        opening = decode(unfinished.read_bytes(), studio.recipe.corpus.encoding).text
        if not opening.strip():
            raise EngineError(f"{unfinished} is empty; write the poem's beginning into it.")
    check_asked([theme] if theme else [], "write")
    check_asked([opening] if opening else [], "write")
    model = studio.base_model() if from_base else _best(studio)
    if model.kind == "base" and not from_base:
        studio.say("there is no checkpoint yet, so the base writes; `poetune finetune` trains one.")
    template = template or studio.recipe.generate.templates[0]
    verse = prompting.template(studio, template).verse
    if verse and not opening.strip():
        raise EngineError(f"{template} asks nothing, so it goes on from something; give --first-line or --continue.")
    prompt = Prompt("" if verse else theme, template, "" if verse else prompting.systems(studio)[0], opening)
    sampling = studio.recipe.generate.sampling()
    grid = list(cells([model], [prompt], sampling, poems, studio.recipe.seed if seed is None else seed))
    todo = missing(grid, studio.store.ids(Candidate))
    if todo:
        write_cells(studio, todo, "writing", round_number=0)
    found = [poem for cell in grid if (poem := studio.store.one(Candidate, cell.id))]
    if append is not None:
        label = _label(model)
        append_text(append, "".join(sample_block(prompt, label, sampling, c.text, c.title) for c in found))
    return Poems(_label(model), [c.text for c in found], [c.title for c in found])


def _best(studio: Studio) -> Model:
    return best_model(studio.store, studio.engine().capabilities.name) or studio.base_model()


def _label(model: Model) -> str:
    return f"{model.base} {model.name} ({model.id})"
