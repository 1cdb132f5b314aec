"""One poem at once, from the best model, outside the grid but kept like any candidate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

from poetune.corpus.decoding import decode
from poetune.errors import EngineError
from poetune.generate.again import Place, place
from poetune.generate.asked import check_asked
from poetune.generate.grid import Cell, cell_seed, cells, missing
from poetune.generate.samples import sample_block
from poetune.ports import ScoreRequest
from poetune.records import Candidate, Model, Prompt, Sampling
from poetune.store.atomic import append_text
from poetune.store.queries import best_model
from poetune.studio import prompting
from poetune.studio.generate import write_cells
from poetune.studio.house import Studio
from poetune.studio.score.contestants import named
from poetune.studio.writers import endpoints

TRIES = 4  # as many draws for each new line that is wanted; models say the same again


@dataclass(frozen=True, slots=True)
class Poems:
    """What was written, in full: a first line or an unfinished poem included; `lines` are those written anew."""

    model: str
    texts: list[str]
    titles: list[str]
    lines: list[str] = field(default_factory=list)
    was: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user asks of `write`. `again` is the number of a line to write anew, 0 for none; `writer` is a name as
    `score compare` takes it, "" for the best model."""

    theme: str = ""
    first_line: str = ""
    unfinished: Path | None = None
    poems: int = 1
    template: str = ""
    from_base: bool = False
    seed: int | None = None
    append: Path | None = None
    again: int = 0
    alternatives: int = 1
    writer: str = ""


def write(studio: Studio, asked: Asked, heard: Callable[[int, str], None] | None = None) -> Poems:
    """Write, or fetch if the same was written before; `heard` is told the number of a poem and its text as it grows.

    Raises EngineError for an unfinished poem that is empty, and for a line that isn't there.
    """
    opening, chosen = _opening(studio, asked), bool(asked.from_base or asked.writer)
    model = studio.base_model() if asked.from_base else named(studio, asked.writer) if chosen else _best(studio)
    if model.kind == "base" and not chosen:
        studio.say("there is no checkpoint yet, so the base writes; `poetune finetune` trains one.")
    template = asked.template or studio.recipe.generate.templates[0]
    verse = prompting.template(studio, template).verse
    if verse and not opening.strip():
        raise EngineError(f"{template} asks nothing, so it goes on from something; give --first-line or --continue.")
    whole = bool(asked.again and asked.unfinished)  # the file holds the poem whose line is written anew
    system = "" if verse else prompting.systems(studio)[0]
    prompt = Prompt("" if verse else asked.theme, template, system, "" if whole else opening)
    sampling, seed = studio.recipe.generate.sampling(), studio.recipe.seed if asked.seed is None else asked.seed
    found: list[Candidate] = []
    lines: list[str] = []
    was = ""
    if not whole:
        grid = list(cells([model], [prompt], sampling, 1 if asked.again else asked.poems, seed))
        numbers = {cell.id: number for number, cell in enumerate(grid)}
        tell = (lambda key, text: heard(numbers[key], opening + text)) if heard and not asked.again else None
        _fill(studio, grid, tell)
        found = [poem for cell in grid if (poem := studio.store.one(Candidate, cell.id))]
    if asked.again:
        text, title = (opening, asked.theme) if whole else (found[0].text, found[0].title)
        at = place(text.strip("\n"), asked.again)
        prompt, sampling, was = at.prompt(prompt), at.sampling(sampling), at.line
        found, lines = _again(studio, model, prompt, sampling, at, title, asked.alternatives, seed)
    if asked.append is not None:
        label = _label(model)
        append_text(asked.append, "".join(sample_block(prompt, label, sampling, c.text, c.title) for c in found))
    return Poems(_label(model), [c.text for c in found], [c.title for c in found], lines, was)


def _opening(studio: Studio, asked: Asked) -> str:
    opening = asked.first_line
    if asked.unfinished is not None:
        opening = decode(asked.unfinished.read_bytes(), studio.recipe.corpus.encoding).text
        if not opening.strip():
            raise EngineError(f"{asked.unfinished} is empty; write the poem's beginning into it.")
    for text in (asked.theme, opening):
        check_asked([text] if text else [], "write")
    return opening


def _fill(studio: Studio, grid: Sequence[Cell], tell: Callable[[str, str], None] | None = None) -> None:
    todo = missing(grid, studio.store.ids(Candidate))
    if todo:
        write_cells(studio, todo, "writing", round_number=0, heard=tell)


def _again(
    studio: Studio, model: Model, prompt: Prompt, sampling: Sampling, at: Place, title: str, wanted: int, seed: int
) -> tuple[list[Candidate], list[str]]:
    """So many poems with a new line each, none of which was written before; the one first that goes on best into what
    follows, where the engine can weigh that."""
    seeds = (cell_seed(seed, prompt, sampling, k) for k in count())
    fresh = (Cell(Candidate.cell(model.id, prompt.id, sampling, s), model, prompt, sampling, s) for s in seeds)
    there = studio.store.ids(Candidate)
    new = (cell for cell in fresh if cell.id not in there)
    found: dict[str, Candidate] = {}
    for _ in range(TRIES):
        grid = list(islice(new, wanted))
        _fill(studio, grid)
        for cell in grid:
            poem = studio.store.one(Candidate, cell.id)
            line = at.new_line(poem) if poem else ""
            if poem and line and len(found) < wanted:
                found.setdefault(line, poem)
        if len(found) == wanted:
            break
    if not found:
        raise EngineError(
            f"the model writes line {at.number} just as it was; raise generate.temperature, or try another --seed."
        )
    lines = sorted(found, key=_fit(studio, model, prompt, at, list(found)))
    poems = [at.filled(line, found[line], title) for line in lines]
    studio.store.add(poems)
    return poems, lines


def _fit(studio: Studio, model: Model, prompt: Prompt, at: Place, lines: Sequence[str]) -> Callable[[str], float]:
    """A key that puts first the line after which the rest of the poem is likeliest."""
    if len(lines) < 2 or not at.after.strip() or model.kind == "endpoint" or not studio.engine().capabilities.scores:
        return lines.index
    asked = []
    for line in lines:
        head = Prompt(prompt.theme, prompt.template, prompt.system, at.before + line + "\n")
        rest = at.after.removeprefix("\n")
        asked.append(ScoreRequest(studio.weights(model), rest, prompting.conversation(studio, head)))
    scores = dict(zip(lines, studio.generator().score(asked), strict=True))
    return lambda line: -scores[line].log_likelihood


def _best(studio: Studio) -> Model:
    served = endpoints(studio)
    if served and not studio.store.ids(Model, "kind = 'checkpoint'"):
        return served[0]
    return best_model(studio.store, studio.engine().capabilities.name) or studio.base_model()


def _label(model: Model) -> str:
    return f"{model.base} {model.name} ({model.id})"
