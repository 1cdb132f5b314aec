"""How much of what each checkpoint wrote in each template was accepted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from poetune.records import Candidate, Drawn, Model, Prompt, Review
from poetune.review.agreement import Share


@dataclass(frozen=True, slots=True)
class Rates:
    """A table of accept rates; `cells` has a row for each model and a column for each template."""

    models: tuple[str, ...]
    templates: tuple[str, ...]
    cells: tuple[tuple[Share, ...], ...]
    of_model: tuple[Share, ...]
    of_template: tuple[Share, ...]
    whole: Share


def rates(
    decided: Iterable[Review],
    candidates: Mapping[str, Candidate],
    models: Sequence[Model],
    prompts: Mapping[str, Prompt],
) -> Rates:
    """Accepted over accepted and rejected; skips and poems whose model is gone do not count."""
    names = {model.id: label(model, models) for model in models}
    counts: dict[tuple[str, str], list[int]] = {}
    for act in decided:
        candidate = candidates.get(act.candidate)
        if act.action not in ("accept", "reject") or candidate is None or candidate.model not in names:
            continue
        prompt = prompts.get(candidate.prompt)
        tally = counts.setdefault((names[candidate.model], prompt.template if prompt else ""), [0, 0])
        tally[0] += act.action == "accept"
        tally[1] += 1
    rows = [name for name in dict.fromkeys(names.values()) if any(model == name for model, _ in counts)]
    columns = sorted({template for _, template in counts})

    def share(model: str | None = None, template: str | None = None) -> Share:
        found = [t for (m, c), t in counts.items() if model in (None, m) and template in (None, c)]
        return Share(sum(t[0] for t in found), sum(t[1] for t in found))

    cells = tuple(tuple(share(row, column) for column in columns) for row in rows)
    return Rates(
        tuple(rows),
        tuple(columns),
        cells,
        tuple(share(model=row) for row in rows),
        tuple(share(template=column) for column in columns),
        share(),
    )


def by_draw(decided: Iterable[Review]) -> dict[Drawn, Share]:
    """Accept rates of the judge's best and of what was drawn past the judge: whether the judge helps this reader."""
    rows = [act for act in decided if act.action in ("accept", "reject")]
    kinds: tuple[Drawn, ...] = ("best", "explore")
    found = {kind: [act for act in rows if act.drawn == kind] for kind in kinds}
    return {kind: Share(sum(a.action == "accept" for a in acts), len(acts)) for kind, acts in found.items()}


def name_of(model: Model) -> str:
    """A model's name; its kind and step where it has none."""
    return model.name or f"{model.kind} {model.step or ''}".rstrip()


def label(model: Model, among: Sequence[Model]) -> str:
    """A model's name; with its round and id where another one has the same name."""
    name = name_of(model)
    twins = sum(name_of(each) == name for each in among)
    return name if twins < 2 else f"{name}, round {model.round} ({model.id[:6]})"
