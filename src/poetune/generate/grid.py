"""The grid: model x prompt x seed. A cell has an id before anything is written into it, so resuming needs no state."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from poetune.generate.titles import split_title
from poetune.ports import Written
from poetune.records import Candidate, Model, Prompt, Sampling, digest

SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Cell:
    """One poem to write. `id` is the candidate's, `k` its number among the poems of this model and prompt."""

    id: str
    model: Model
    prompt: Prompt
    sampling: Sampling
    seed: int
    k: int = 0


def cells(
    models: Sequence[Model], prompts: Sequence[Prompt], sampling: Sampling, per_cell: int, seed: int
) -> Iterator[Cell]:
    """All cells, model by model, so that each adapter is loaded once; models and prompts given twice count once."""
    distinct_prompts = list({prompt.id: prompt for prompt in prompts}.values())
    for model in {model.id: model for model in models}.values():
        for prompt in distinct_prompts:
            for k in range(per_cell):
                drawn = cell_seed(seed, prompt, sampling, k)
                yield Cell(Candidate.cell(model.id, prompt.id, sampling, drawn), model, prompt, sampling, drawn, k)


def cell_seed(seed: int, prompt: Prompt, sampling: Sampling, k: int) -> int:
    """A seed below 2^31 that does not depend on the model: base and checkpoints are compared on the same draws."""
    return int(digest("seed", seed, prompt.id, sampling, k), 16) % SEEDS


def missing(wanted: Iterable[Cell], existing: Collection[str]) -> list[Cell]:
    """The cells that nothing stands in yet, in order."""
    there = existing if isinstance(existing, set | frozenset) else set(existing)
    return [cell for cell in wanted if cell.id not in there]


def eligible(models: Iterable[Model], from_step: int = 0, latest: int = 0) -> list[Model]:
    """Checkpoints from a step on, of which the `latest` last ones (0 = all) per run, by step; others as they are."""
    kept = [model for model in models if model.kind != "checkpoint" or model.step >= from_step]
    runs: dict[tuple[str, str], list[Model]] = {}
    for model in kept:
        if model.kind == "checkpoint":
            runs.setdefault((model.run, model.base), []).append(model)
    late = {m.id for run in runs.values() for m in sorted(run, key=lambda m: m.step)[-latest:]}
    return [m for m in kept if m.kind != "checkpoint" or m.id in late]


def filled(cell: Cell, written: Written, round_number: int = 1) -> Candidate:
    """The candidate for a cell: opening and what was written, with a title set off on top taken out of the text."""
    opening = cell.prompt.opening
    text = opening + written.text
    title, body = (cell.prompt.theme, text) if opening else split_title(text, cell.prompt.theme)
    return Candidate(
        id=cell.id,
        model=cell.model.id,
        prompt=cell.prompt.id,
        sampling=cell.sampling,
        seed=cell.seed,
        text=body,
        title=title,
        stop=written.stop,
        tokens=written.tokens,
        round=round_number,
    )
