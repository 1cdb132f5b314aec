"""How sure a share is, and how far readings agree: of one reader with themselves, and of readers with one another."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from poetune.records import Review
from poetune.review.state import Ledger, decisions
from poetune.verse.shares import wilson


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, with its interval at 95 %; both are None of nothing."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """Part over whole."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper end."""
        return wilson(self.part, self.whole)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two readings of the same poems. `kappa` (Cohen 1960) is what agreement chance leaves; None without variety."""

    who: str
    same: Share
    kappa: float | None


def with_oneself(reviews: Iterable[Review]) -> list[Agreement]:
    """For each reviewer, silent repeats against the decision that holds; skips do not count."""
    rows = list(reviews)
    found = []
    for who in dict.fromkeys(row.reviewer for row in rows):
        ledger: Ledger[Review] = Ledger(who)
        for row in rows:
            ledger.add(row)
        held = ledger.standing()
        pairs = [
            (held[act.candidate].action, act.action)
            for act in held.values()
            if act.drawn == "repeat" and act.candidate in held
        ]
        if counted := _decided(pairs):
            found.append(_agreement(who, counted))
    return found


def with_others(reviews: Iterable[Review]) -> list[Agreement]:
    """For each two reviewers, the poems that both decided."""
    rows = list(reviews)
    held = {who: decisions(rows, who) for who in dict.fromkeys(row.reviewer for row in rows)}
    found = []
    for one, other in combinations(held, 2):
        both = [(act.action, held[other][c].action) for c, act in held[one].items() if c in held[other]]
        if counted := _decided(both):
            found.append(_agreement(f"{one or '-'} / {other or '-'}", counted))
    return found


def _decided(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in pairs if "skip" not in pair]


def _agreement(who: str, pairs: list[tuple[str, str]]) -> Agreement:
    n = len(pairs)
    same = sum(a == b for a, b in pairs)
    first = sum(a == "accept" for a, _ in pairs) / n
    second = sum(b == "accept" for _, b in pairs) / n
    chance = first * second + (1 - first) * (1 - second)
    return Agreement(who, Share(same, n), None if chance == 1 else (same / n - chance) / (1 - chance))
