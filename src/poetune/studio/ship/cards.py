"""What the model card and the data card are made of, taken from the store."""

from collections.abc import Sequence
from datetime import UTC, datetime

from poetune import __version__
from poetune.backends.crossing import Format
from poetune.generate.grid import cells, missing
from poetune.records import Candidate, Dataset, Example, Model, Poem, Prompt, Review, Run
from poetune.review import decisions
from poetune.ship.card import Agreed, Card, Copied, Loss
from poetune.ship.datacard import DataCard
from poetune.ship.usage import Ask
from poetune.studio import prompting
from poetune.studio.dataset import examples
from poetune.studio.generate import themes, write_cells
from poetune.studio.house import Studio
from poetune.studio.judge import standing
from poetune.studio.score import loss_rows, measured_copies

SAMPLES = 4


def card_of(studio: Studio, model: Model, kind: str, form: Format) -> Card:
    """Everything that the model card says; its sample poems are written if they are not there yet."""
    runs = _runs(studio, model)
    run = runs[0] if runs else None
    rows = [row for each in runs for row in _rows(studio, each)]
    learned = {row.poem for row in rows if row.split == "train"}
    poems = [p for p in studio.store.all(Poem) if p.id in learned]
    name = studio.recipe.generate.templates[0]
    asked = prompting.one_each(studio, ["rain" if studio.language() == "en" else "雨"], name)
    prompt = asked[0] if asked else Prompt("", name)
    settings = studio.recipe.ship
    alone = len(runs) == 1
    return Card(
        name=studio.recipe.name,
        kind="adapter" if kind == "adapter" else "merged",
        base=studio.base_of(model).base,
        poems=poems,
        format=form,
        author=settings.author,
        licence=settings.licence,
        rights=settings.rights,
        contact=settings.contact,
        ollama=kind == "ollama",
        model=model.id,
        dataset=", ".join(each.dataset for each in runs),
        run=", ".join(each.id for each in runs),
        step=model.step,
        mix={_called(studio, key): share for key, share in model.mix.items()},
        settings=run.recipe.get("finetune", {}) if run else {},
        ask=Ask(prompt.theme, prompting.conversation(studio, prompt), studio.recipe.generate.sampling()),
        losses=[Loss(r.model, r.split, r.loss, r.perplexity, r.bits_per_byte) for r in loss_rows(studio, model)]
        if alone
        else [],
        copied=[Copied(r.label, r.lines, r.copied) for r in measured_copies(studio, model, rows)] if rows else [],
        agreed=_agreed(studio),
        samples=_samples(studio, model),
        version=__version__,
        year=datetime.now(UTC).year,
    )


def data_of(studio: Studio, model: Model) -> DataCard:
    """What the data card says of the poems that the model was trained and measured on."""
    runs = _runs(studio, model)
    rows = [row for each in runs for row in _rows(studio, each)]
    poems = {p.id: p for p in studio.store.all(Poem)}
    splits = {
        split: [poems[key] for key in dict.fromkeys(r.poem for r in rows if r.split == split) if key in poems]
        for split in ("train", "validation", "test")
    }
    settings = studio.recipe.ship
    known = ", ".join(each.dataset for each in runs)
    return DataCard(studio.recipe.name, known, splits, settings.rights, settings.contact)


def _runs(studio: Studio, model: Model) -> list[Run]:
    """The training of a checkpoint; of a blend those of its parts."""
    parts = [studio.store.one(Model, key) for key in model.mix] if model.mix else [model]
    found = [studio.store.one(Run, part.run) for part in parts if part is not None and part.run]
    return [run for run in found if run is not None]


def _rows(studio: Studio, run: Run) -> Sequence[Example]:
    data = studio.store.one(Dataset, run.dataset)
    return examples(studio, data) if data else []


def _called(studio: Studio, key: str) -> str:
    """A blend's part by the name of its stage, where it is of this project."""
    part = studio.store.one(Model, key)
    run = studio.store.one(Run, part.run) if part is not None and part.run else None
    return f"{run.stage}, {part.name} ({key})" if run is not None and part is not None else key


def _samples(studio: Studio, model: Model) -> list[Poem]:
    """One poem on each of the first themes, from the recipe's own seed: nobody chose among them."""
    asked = prompting.one_each(studio, themes(studio)[:SAMPLES], studio.recipe.generate.templates[0])[:SAMPLES]
    grid = list(cells([model], asked, studio.recipe.generate.sampling(), 1, studio.recipe.seed))
    todo = missing(grid, studio.store.ids(Candidate))
    if todo:
        write_cells(studio, todo, "writing samples for the card", round_number=0)
    found = [c for cell in grid if (c := studio.store.one(Candidate, cell.id))]
    return [Poem(c.text, c.title) for c in found]


def _agreed(studio: Studio) -> Agreed | None:
    """How often the judge's ranking puts a poem that a reader accepted above one that was rejected."""
    place = {key: number for number, key in enumerate(standing(studio))}
    acts = decisions(studio.store.all(Review))
    kept = [key for key, act in acts.items() if act.action == "accept" and key in place]
    cast = [key for key, act in acts.items() if act.action == "reject" and key in place]
    pairs = [(one, other) for one in kept for other in cast]
    return Agreed(sum(place[one] < place[other] for one, other in pairs), len(pairs)) if pairs else None
