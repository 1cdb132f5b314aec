"""Copied lines of what was written, beside those of the poet's own held-out poems."""

from dataclasses import asdict

from poetune.errors import EngineError
from poetune.records import Candidate, Example, Model, Poem, Prompt
from poetune.score.contents import Copying, CopyRow
from poetune.score.copying import copying, copying_text
from poetune.store.queries import candidates
from poetune.studio.house import Studio
from poetune.studio.score.models import best_or_fail, examples, written_by
from poetune.studio.score.table import Table


def copied(studio: Studio, samples: dict[str, list[Candidate]], rows: list[Example]) -> Copying:
    """Copied lines of `samples` (label -> candidates) from the training poems of `rows`."""
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
    return copied(studio, {"tuned": written_by(studio, model)}, rows).rows


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
    found = copied(studio, samples, examples(studio, best_or_fail(studio)))
    rows: list[dict[str, object]] = [{**asdict(r), "share": r.share} for r in found.rows]
    return Table(rows, copying_text(found).rstrip("\n"))
