"""A dial between two poets: blends from all of one to all of the other, written, measured, and put into one table."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.errors import CorpusError, RecipeError
from poetune.finetune.dialled import Step, mean_rho, single_rho, steps_csv
from poetune.finetune.mixing import Way, parsed
from poetune.generate.grid import cells, missing
from poetune.ports import ScoreRequest
from poetune.records import Candidate, Example, Model, Poem, digest
from poetune.store.atomic import write_text
from poetune.studio import prompting
from poetune.studio.dataset import examples
from poetune.studio.finetune.blending import FOLDER, Source, data_of, made, sources
from poetune.studio.generate import themes, write_cells
from poetune.studio.house import Studio
from poetune.verse.authorship import Authors
from poetune.verse.overlap import LineIndex
from poetune.verse.styleaxis import StyleAxis


@dataclass(frozen=True, slots=True)
class Dialled:
    """The steps, Spearman's rho of single poems' positions and of the steps' means with the weight, and how well the
    two poets' own poems can be told apart (share of pairs in the wrong order, leaving each out)."""

    first: str
    second: str
    steps: list[Step]
    single: float | None
    mean: float | None
    overlap: float
    csv: str


def dial(studio: Studio, between: str, way: Way | None = None, points: int = 11, poems: int = 40) -> Dialled:
    """Measure `points` blends of the two adapters that `between` names, with so many poems each.

    Raises RecipeError unless two are named, CorpusError where a poet has too few poems for a position.
    """
    parts = parsed(between)
    if len(parts) != 2:
        raise RecipeError(f"--sweep goes from one poet to another, and --mix names {len(parts)}; name two.")
    one, other = found = sources(studio, parts)
    rows = [examples(each.studio, data_of(each)) for each in found]
    texts = [_texts(each, part) for each, part in zip(found, rows, strict=True)]
    axis, index = StyleAxis(*texts), LineIndex({str(i): t for i, t in enumerate(t for some in texts for t in some)})
    tellers = _authors(studio, found, texts)
    steps = []
    for number in range(points):
        weight = round(number / (points - 1), 6)
        model, _ = made(studio, found, [1 - weight, weight], way or Way())
        studio.say(f"step {number + 1} of {points}: {model.name}")
        written = written_by(studio, model, poems)
        steps.append(_step(studio, model, weight, written, axis, index, tellers, rows))
    path = studio.folder / FOLDER / f"sweep-{digest([s.model for s in steps], poems)}.csv"
    write_text(path, steps_csv(steps))
    names = one.part.label, other.part.label
    return Dialled(*names, steps, single_rho(steps), mean_rho(steps), axis.overlap, str(path))


def _texts(source: Source, rows: Sequence[Example]) -> list[str]:
    wanted = {row.poem for row in rows}
    return [poem.text for poem in source.studio.store.all(Poem) if poem.id in wanted]


def _authors(
    studio: Studio, found: Sequence[Source], texts: Sequence[Sequence[str]]
) -> tuple[Authors, tuple[str, str]]:
    """A classifier over all poets that are at hand: the two, and the other authors of this project's corpus."""
    first, second = (each.part.label for each in found)
    poets: dict[str, list[str]] = {first: list(texts[0]), second: list(texts[1])}
    taken = {text for some in texts for text in some}
    for poem in studio.store.all(Poem):
        if poem.origin == "corpus" and poem.author and poem.text not in taken:
            poets.setdefault(f"author {poem.author}", []).append(poem.text)
    return Authors(poets), (first, second)


def written_by(studio: Studio, model: Model, poems: int) -> list[Candidate]:
    """The model's poems on the project's themes, written once; all models write from the same seeds."""
    asked = prompting.one_each(studio, themes(studio), studio.recipe.generate.templates[0])
    if not asked:
        raise RecipeError("generate.themes is empty and there are no openings; name some themes to write on.")
    each = -(-poems // len(asked))
    sampling, seed = studio.recipe.generate.sampling(), studio.recipe.seed
    grid = sorted(cells([model], asked, sampling, each, seed), key=lambda cell: cell.k)[:poems]
    todo = missing(grid, studio.store.ids(Candidate))
    if todo:
        write_cells(studio, todo, f"writing ({model.name})", round_number=0)
    return [c for cell in grid if (c := studio.store.one(Candidate, cell.id))]


def _step(
    studio: Studio,
    model: Model,
    weight: float,
    written: Sequence[Candidate],
    axis: StyleAxis,
    index: LineIndex,
    tellers: tuple[Authors, tuple[str, str]],
    rows: Sequence[Sequence[Example]],
) -> Step:
    texts = [poem.text for poem in written]
    if not any(text.strip() for text in texts):
        raise CorpusError(f"{model.name} wrote nothing; take a checkpoint that was trained longer.")
    called = [each.author for each in tellers[0].attribute(texts)]
    countable = sum(index.countable(text) for text in texts)
    losses = [_loss(studio, model, part) for part in rows]
    return Step(
        weight=weight,
        model=model.id,
        positions=tuple(axis.positions(texts)),
        first=called.count(tellers[1][0]) / len(called),
        second=called.count(tellers[1][1]) / len(called),
        copied=sum(len(index.copied(text)) for text in texts) / max(1, countable),
        ended=sum(poem.stop == "eos" for poem in written) / len(written),
        first_loss=losses[0],
        second_loss=losses[1],
    )


def _loss(studio: Studio, model: Model, rows: Sequence[Example]) -> float | None:
    """On the held-out rows, in nats a token; measured once."""
    held = [row for row in rows if row.split != "train"]
    if not held:
        return None
    key = f"model:{model.id}:held:{digest([row.id for row in held])}"
    if not studio.store.fact(key):
        weights = studio.weights(model)
        scores = studio.generator().score([ScoreRequest(weights, r.completion, r.conversation, r.plain) for r in held])
        tokens = sum(score.tokens for score in scores)
        studio.store.remember(key, repr(-sum(score.log_likelihood for score in scores) / max(1, tokens)))
    return float(studio.store.fact(key))
