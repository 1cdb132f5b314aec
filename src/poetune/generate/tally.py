"""How many candidates each gate held back, by checkpoint and template."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from poetune.records import Candidate, Model, Prompt


@dataclass(frozen=True, slots=True)
class Tally:
    """The candidates of one model and template: how many were written and passed, and how many each gate held back."""

    model: str
    template: str
    written: int
    passed: int
    gates: Mapping[str, int] = field(default_factory=dict)


def tally(
    candidates: Iterable[Candidate], models: Mapping[str, Model], prompts: Mapping[str, Prompt]
) -> tuple[Tally, ...]:
    """A row for each model and template, by the order of `models` and the templates' names; others are left out."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for candidate in candidates:
        if candidate.model in models and candidate.prompt in prompts:
            key = candidate.model, prompts[candidate.prompt].template
            found.setdefault(key, Counter())[candidate.gate] += 1
    order = list(models)
    return tuple(
        Tally(
            models[model].name or models[model].base,
            template,
            counts.total(),
            counts[""],
            {gate: count for gate, count in sorted(counts.items()) if gate},
        )
        for (model, template), counts in sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    )


def summed(rows: Iterable[Tally]) -> dict[str, int]:
    """Candidates held back by each gate over all rows, the most first."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row.gates)
    return dict(total.most_common())


def sentence(gates: Mapping[str, int]) -> str:
    """`12 held back (5 copied, 4 loop, 3 twin)`, or "none held back"."""
    if not gates:
        return "none held back"
    return f"{sum(gates.values())} held back ({', '.join(f'{n} {gate}' for gate, n in gates.items())})"
