"""What the steps of a dial between two poets came to: style position against the weight that was asked for."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields

from poetune.verse.correlation import spearman


@dataclass(frozen=True, slots=True)
class Step:
    """One blend: the second poet's weight, and what its poems and losses are.

    `positions` are single poems' (0 = the first poet's own unseen poems on average, 1 = the second's); `first` and
    `second` the shares of poems that the classifier calls theirs; losses are nats a token on each one's held-out poems.
    """

    weight: float
    model: str
    positions: tuple[float, ...]
    first: float
    second: float
    copied: float
    ended: float
    first_loss: float | None
    second_loss: float | None

    @property
    def position(self) -> float:
        """Mean of the poems' positions."""
        return sum(self.positions) / len(self.positions)

    @property
    def spread(self) -> float:
        """Standard deviation of the poems' positions."""
        mean = self.position
        return float((sum((p - mean) ** 2 for p in self.positions) / len(self.positions)) ** 0.5)


def single_rho(steps: Sequence[Step]) -> float | None:
    """Spearman's rho of single poems' positions with the weight of their blend."""
    return spearman([s.weight for s in steps for _ in s.positions], [p for s in steps for p in s.positions])


def mean_rho(steps: Sequence[Step]) -> float | None:
    """The same of the blends' mean positions."""
    return spearman([s.weight for s in steps], [s.position for s in steps])


def steps_csv(steps: Sequence[Step]) -> str:
    """A row for each blend, without the single positions."""
    out = io.StringIO()
    names = ["position", "spread", *(f.name for f in fields(Step) if f.name not in ("weight", "positions"))]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["weight", "poems", *names])
    for step in steps:
        values = (getattr(step, name) for name in names)
        writer.writerow([f"{step.weight:g}", len(step.positions), *("" if v is None else _cell(v) for v in values)])
    return out.getvalue()


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
