"""The grid is filled: what should exist and does not is written, and each poem is stored as soon as it is done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from poetune.dataset.templates import TEMPLATE_ORDER
from poetune.errors import EngineError, RecipeError
from poetune.generate.asked import check_asked, repeated
from poetune.generate.codes import decode
from poetune.generate.grid import Cell, cells, eligible, filled, missing
from poetune.generate.pace import Pace
from poetune.generate.tally import Tally, tally
from poetune.generate.themes import collect, gathered
from poetune.generate.ways import Way, measured
from poetune.ports import Request
from poetune.records import Candidate, Model, Prompt, Sampling
from poetune.store.queries import candidates, models_of
from poetune.studio import prompting
from poetune.studio.gating import Gates
from poetune.studio.house import Studio
from poetune.studio.writers import endpoints, writer

LONGEST = 5  # prompts that are looked at, the longest by bytes


@dataclass(frozen=True, slots=True)
class Filled:
    """What a filling of the grid gave."""

    written: int
    existing: int
    models: int
    templates: int
    themes: int
    prompts: int
    ways: tuple[Way, ...]
    per_cell: int
    per_minute: float
    ended: float
    gates: tuple[Tally, ...] = ()


def themes(studio: Studio) -> list[str]:
    """The recipe's themes, files among them read; where neither themes nor openings are given, the bundled list."""
    if studio.recipe.generate.openings and not studio.recipe.generate.themes:
        return []
    return [theme.text for theme in collect(studio.recipe.generate.themes, studio.folder, studio.language())]


def models(studio: Studio, stages: Sequence[str] = ()) -> list[Model]:
    """The engine's checkpoints that write: those of the open round, from `from_step` on, of each run the latest.

    `stages` names other writers than the last stage's checkpoints: those of any stage, or `base`. The recipe's servers
    come along; a project that has nothing else needs no engine of its own.
    """
    settings, served = studio.recipe.generate, endpoints(studio)
    there = models_of(studio.store, studio.round.number, stages)
    if served and not there and "base" not in stages:
        return served
    engine = studio.engine().capabilities.name
    there = eligible([m for m in there if m.engine == engine], settings.from_step, settings.checkpoints)
    found = [studio.base_model()] * ("base" in stages) + there + served
    if not found:
        raise EngineError(
            "there is no checkpoint to write with"
            + (f" of {', '.join(stages)}" if stages else "")
            + (f" from step {settings.from_step} on" if settings.from_step else "")
            + " in this round; run `poetune finetune` first."
        )
    return found


def fill(
    studio: Studio,
    max_themes: int | None = None,
    code: int | None = None,
    stages: Sequence[str] = (),
    only: tuple[Sequence[str], Sequence[str]] | None = None,
) -> Filled:
    """Write what is missing of the grid; `code` (step + template 0-4) names one checkpoint and one template, `only`
    the ids of models and the templates that write.

    Raises EngineError for a code that does not decode or whose step has no checkpoint.
    """
    settings = studio.recipe.generate
    subjects = themes(studio)[:max_themes]  # looked at before any engine is opened
    check_asked(settings.openings, "generate.openings")
    writers, templates = models(studio, stages), settings.templates
    if code is not None:
        step, index = decode(code)
        writers, templates = [m for m in writers if m.step == step], [TEMPLATE_ORDER[index]]
        if not writers:
            raise EngineError(f"code {code} means step {step}, and no checkpoint of this round has that step.")
    if only is not None:
        writers = [model for model in writers if model.id in only[0]]
        templates = [name for name in templates if name in only[1]]
        if not writers or not templates:
            raise EngineError("what was scouted is not in the grid any more; run `poetune generate scout` again.")
    prompts = prompting.prompts(studio, subjects, templates)
    if not prompts:
        raise RecipeError(
            f"generate: {', '.join(templates)} takes openings, and generate.openings has none; write some, or take "
            "another template."
        )
    ways = settings.samplings()
    grid = [cell for way in ways for cell in cells(writers, prompts, way, settings.per_cell, studio.recipe.seed)]
    todo = missing(grid, studio.store.ids(Candidate))
    studio.store.adopt((cell.id for cell in grid), studio.round.number)  # `write` and `score` may have been first
    gates = Gates(studio)
    if todo:
        fit(studio, prompts, [model for model in writers if model.kind != "endpoint"][:1])
        _inherited(studio, writers, settings.themes)
    started = time.monotonic()
    ended = write_cells(studio, todo, "writing", gates=gates) if todo else []
    minutes = (time.monotonic() - started) / 60
    return Filled(
        written=len(ended),
        existing=len(grid) - len(todo),
        models=len(writers),
        templates=len(templates),
        themes=len(subjects),
        prompts=len(prompts),
        ways=tuple(_way(studio, way, grid) for way in ways) if len(ways) > 1 else (),
        per_cell=settings.per_cell,
        per_minute=len(ended) / minutes if ended else 0.0,
        ended=sum(c.stop == "eos" for c in ended) / len(ended) if ended else 0.0,
        gates=gate_tally(studio),
    )


def fit(studio: Studio, prompts: Sequence[Prompt], models: Sequence[Model]) -> None:
    """Raise RecipeError, before weights are loaded, where the longest prompts leave no room for a poem."""
    longest = sorted(prompts, key=lambda p: -len((p.theme + p.system + p.opening).encode()))[:LONGEST]
    for model in models:
        for prompt in longest:
            room = studio.generator().room(studio.weights(model), prompting.conversation(studio, prompt))
            about = " ".join((prompt.theme or prompt.opening)[:40].split())
            if room is not None and room < 1:
                raise RecipeError(
                    f"generate: the prompt on {about!r} in {prompt.template} fills the whole context of {model.base}; "
                    "shorten it, or take a base that reads more."
                )
            if room is not None and room < studio.recipe.generate.max_tokens:
                studio.say(f"the prompt on {about!r} leaves {room} tokens for a poem, less than generate.max_tokens.")
                break


def gate_tally(studio: Studio) -> tuple[Tally, ...]:
    """What the gates held back of the open round, by model and template."""
    models = {model.id: model for model in studio.store.all(Model)}
    prompts = {prompt.id: prompt for prompt in studio.store.all(Prompt)}
    return tally(candidates(studio.store, studio.round.number), models, prompts)


def _way(studio: Studio, sampling: Sampling, grid: list[Cell]) -> Way:
    there = [studio.store.one(Candidate, cell.id) for cell in grid if cell.sampling == sampling]
    return measured(sampling, [candidate for candidate in there if candidate is not None])


def _inherited(studio: Studio, writers: list[Model], given: list[str]) -> None:
    system = f"system text {studio.recipe.dataset.system!r}" if studio.recipe.dataset.system else "no system text"
    names = ", ".join(model.name or model.base for model in writers)
    listed = "from the recipe" if given else f"from the bundled {studio.language()} list"
    studio.say(
        f"generate inherits: {system} from dataset, checkpoints {names} from finetune, themes {listed}, "
        f"seed {studio.recipe.seed}."
    )
    twice = repeated([theme.text for theme in gathered(given, studio.folder)]) if given else []
    if twice:
        listed = ", ".join(twice[:5]) + (" and others" if len(twice) > 5 else "")
        studio.say(f"  (given more than once, asked once: {listed}.)")
    strange = prompting.strangers(studio)
    if strange:
        studio.say(f"  (no poem has {', '.join(strange)}, so the model never learned what that means.)")


def write_cells(
    studio: Studio,
    todo: list[Cell],
    label: str,
    round_number: int | None = None,
    gates: Gates | None = None,
    heard: Callable[[str, str], None] | None = None,
) -> list[Candidate]:
    """Write cells and store each poem as it comes, in the open round unless another is named; returns them.

    `gates` look at each poem before it is stored; `heard` is told a cell's id and its text as it grows.
    """
    number = studio.round.number if round_number is None else round_number
    studio.store.add({cell.prompt.id: cell.prompt for cell in todo}.values())
    studio.store.add({cell.model.id: cell.model for cell in todo}.values())
    by_id = {cell.id: cell for cell in todo}
    served, own = ([cell for cell in todo if (cell.model.kind == "endpoint") == far] for far in (True, False))
    done: list[Candidate] = []
    studio.listener.begin(label, len(todo))
    pace = Pace()
    try:
        for part in (served, own):  # servers first: whether one is there shows at once
            if not part:
                continue
            with writer(studio, part[0].model) as engine:
                for written in engine.generate([_request(studio, cell, heard) for cell in part]):
                    cell = by_id[written.id]
                    poem = filled(cell, written, number)
                    poem = gates.look(poem, cell.prompt) if gates else poem
                    studio.store.add([poem])
                    done.append(poem)
                    studio.listener.advance(1, pace.step(bool(poem.gate)))
    finally:
        studio.listener.end()
    return done


def _request(studio: Studio, cell: Cell, heard: Callable[[str, str], None] | None) -> Request:
    conversation = prompting.conversation(studio, cell.prompt)
    told = partial(heard, cell.id) if heard else None
    return Request(cell.id, studio.weights(cell.model), conversation, cell.sampling, cell.seed, told)
