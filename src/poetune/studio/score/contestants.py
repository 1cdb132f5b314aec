"""Who takes part in a comparison: names on the command line become models, and each model writes the same cells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from poetune.errors import EngineError
from poetune.generate.grid import Cell, cell_seed, missing
from poetune.records import Candidate, Model, Poem, Prompt, Run, Sampling, digest
from poetune.store.queries import best_model, checkpoints
from poetune.studio import prompting
from poetune.studio.generate import themes, write_cells
from poetune.studio.house import Studio
from poetune.studio.score.models import best_or_fail, earlier, examples
from poetune.studio.writers import endpoint
from poetune.verse.stylespace import start

POEMS, LONGEST = 5, 480  # poems shown to the base, and bytes of each: five must fit into a small context
PROMPTED = "base + 5 poems"
_ASKS = {
    "en": "Write a poem in the manner of these:\n\n{poems}",
    "zh": "请仿照下面这些诗的写法写诗：\n\n{poems}",
}


@dataclass(frozen=True, slots=True)
class Contestant:
    """A model under the name it goes by; `shown` is the system text that holds the poet's poems, where it has one."""

    label: str
    model: Model
    shown: str = ""


def contestants(studio: Studio, names: Sequence[str], prompted: bool = True) -> list[Contestant]:
    """`base`, `best`, a step, a stage's name, a model's id, or URL#model; the base with five poems comes along.

    Without names: the base, each stage before the last, and the best checkpoint. Raises EngineError for a name that
    nothing has.
    """
    best = best_or_fail(studio) if not names or {"best"} & set(names) else _best(studio)
    base = studio.base_of(best) if best else studio.base_model()
    if not names:
        stages = [Contestant(stage, model) for stage, model in earlier(studio, best)] if best else []
        found = [Contestant("base", base), *stages, *([Contestant(best.name, best)] if best else [])]
    else:
        found = [_named(studio, name, base, best) for name in dict.fromkeys(names)]
    if prompted and all(each.label != PROMPTED for each in found):
        shown = five_poems(studio, best)
        at = 1 + max((i for i, each in enumerate(found) if each.label == "base"), default=-1)
        found.insert(at, Contestant(PROMPTED, base, shown))
    labels = [each.label for each in found]
    return [
        replace(each, label=f"{each.label} ({each.model.id[:6]})") if labels.count(each.label) > 1 else each
        for each in found
    ]


def named(studio: Studio, name: str) -> Model:
    """The model of one such name. Raises EngineError for a name that nothing has."""
    if name.startswith(("http://", "https://")):
        return endpoint(name)  # needs no engine of the project's own
    best = best_or_fail(studio) if name == "best" else _best(studio)
    return _named(studio, name, studio.base_of(best) if best else studio.base_model(), best).model


def five_poems(studio: Studio, best: Model | None) -> str:
    """A system text with poems that the model learned from, so that none of a held-out poem is given away."""
    rows = examples(studio, best) if best else []
    learned = {row.poem for row in rows if row.split == "train"}
    poems = [p for p in studio.store.all(Poem) if p.origin == "corpus" and (p.id in learned or not learned)]
    if not poems:
        raise EngineError("there is no poem to show to the base; run `poetune corpus` first, or give --no-poems.")
    wanted = [p for p in poems if p.language == studio.language()] or poems
    chosen = sorted(wanted, key=lambda p: (len(p.text.encode()) > LONGEST, digest("shown", studio.recipe.seed, p.id)))
    each = LONGEST if studio.language() == "en" else LONGEST // 3
    texts = [f"{p.title}\n\n{start(p.text, each)}".strip() for p in chosen[:POEMS]]
    return _ASKS[studio.language()].replace("{poems}", "\n\n* * *\n\n".join(texts))


def prompts_of(studio: Studio, count: int) -> list[Prompt]:
    """The first `count` themes and openings in the recipe's first template."""
    return prompting.one_each(studio, themes(studio)[:count], studio.recipe.generate.templates[0])[:count]


def written(
    studio: Studio,
    who: Contestant,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    per_prompt: int = 1,
    write: bool = True,
) -> list[Candidate]:
    """The contestant's poems in the order of the prompts, with seeds that are the same for all.

    Missing ones are written, outside any round; without `write` there is none unless all are there.
    """
    grid = [
        _cell(studio, who, prompt, sampling, cell_seed(studio.recipe.seed, prompt, sampling, k), k)
        for prompt in prompts
        for k in range(per_prompt)
    ]
    todo = missing(grid, studio.store.ids(Candidate))
    if todo and not write:
        return []
    if todo:
        write_cells(studio, todo, f"writing ({who.label})", round_number=0)
    return [found for cell in grid if (found := studio.store.one(Candidate, cell.id))]


def _cell(studio: Studio, who: Contestant, prompt: Prompt, sampling: Sampling, seed: int, k: int) -> Cell:
    if who.shown:
        name = prompt.template
        template = prompting.template(studio, name)
        system = f"{prompt.system}\n\n{who.shown}".strip()
        prompt = replace(prompt, system=system, template="plain.v1" if template.raw or template.verse else name)
    return Cell(Candidate.cell(who.model.id, prompt.id, sampling, seed), who.model, prompt, sampling, seed, k)


def _best(studio: Studio) -> Model | None:
    return best_model(studio.store, studio.engine().capabilities.name)


def _named(studio: Studio, name: str, base: Model, best: Model | None) -> Contestant:
    if name == "base":
        return Contestant("base", base)
    if name == "best" and best is not None:
        return Contestant(best.name, best)
    if name.startswith(("http://", "https://")):
        served = endpoint(name)
        return Contestant(served.name or served.base, served)
    stages = dict(earlier(studio, best)) if best else {}
    run = studio.store.one(Run, best.run) if best else None
    if name in stages:
        return Contestant(name, stages[name])
    if run is not None and name == run.stage and best is not None:
        return Contestant(name, best)
    step = name.removeprefix("step").strip()
    steps = {str(m.step): m for m in (checkpoints(studio.store, run.id) if run else [])}
    if step in steps:
        return Contestant(f"step {step}", steps[step])
    model = studio.store.one(Model, name)
    if model is not None:
        return Contestant(model.name or model.id, model)
    known = ["base", "best", *stages, *(f"step {s}" for s in steps)]
    raise EngineError(f"nothing is called {name!r}; name {', '.join(known)}, a model's id, or URL#model.")
