"""Several writers on the same prompts and seeds: what each came to, and who was preferred, with intervals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from poetune.score.contents import Figures
from poetune.verse.shares import wilson

FEWEST = 5  # comparisons below which no share is stated

Outcome = Literal["first", "second", "even", "none"]


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each of two was preferred; `even` where it was undecided, or hung on which was shown first."""

    first: int = 0
    second: int = 0
    even: int = 0

    @property
    def whole(self) -> int:
        """All comparisons."""
        return self.first + self.second + self.even

    @property
    def share(self) -> float | None:
        """The first one's share, an even comparison counting half; None below FEWEST comparisons."""
        return (self.first + self.even / 2) / self.whole if self.whole >= FEWEST else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The share's interval at 95 % (Wilson); None below FEWEST comparisons."""
        return wilson(self.first + self.even / 2, self.whole) if self.whole >= FEWEST else None

    def and_also(self, outcome: Outcome) -> "Tally":
        """With one more comparison; "none" counts for nothing."""
        return Tally(
            self.first + (outcome == "first"), self.second + (outcome == "second"), self.even + (outcome == "even")
        )

    def turned(self) -> "Tally":
        """The same from the second one's side."""
        return Tally(self.second, self.first, self.even)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.first + other.first, self.second + other.second, self.even + other.even)


@dataclass(frozen=True, slots=True)
class Duel:
    """Two writers: a judge's votes (each pair shown in both orders) and blind votes of people."""

    first: str
    second: str
    judge: Tally = field(default_factory=Tally)
    people: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Writer:
    """One contestant: figures of its poems, and all votes for it and against it."""

    figures: Figures
    judge: Tally = field(default_factory=Tally)
    people: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Contest:
    """Who wrote, who was preferred, on how many prompts, by which judge, and what has to be said of it."""

    writers: tuple[Writer, ...]
    duels: tuple[Duel, ...]
    prompts: int
    judge: str = ""
    invalid: int = 0
    flips: int = 0
    said: tuple[str, ...] = ()


def in_both_orders(once: Sequence[str], again: Sequence[str], first: str, second: str) -> Outcome:
    """What two rankings of a pair, shown the one way and the other, say together: a change of mind is even.

    A ranking that is empty (the answer could not be read) leaves the pair out.
    """
    if not once or not again:
        return "none"
    if once[0] != again[0]:
        return "even"
    return "first" if once[0] == first else "second" if once[0] == second else "none"


def duels(
    labels: Sequence[str], judged: Mapping[tuple[str, str], Tally], voted: Mapping[tuple[str, str], Tally]
) -> tuple[Duel, ...]:
    """All pairs of contestants, in order; tallies are found under either order of the names."""

    def of(found: Mapping[tuple[str, str], Tally], a: str, b: str) -> Tally:
        return found.get((a, b), Tally()) + found.get((b, a), Tally()).turned()

    return tuple(Duel(a, b, of(judged, a, b), of(voted, a, b)) for a, b in combinations(labels, 2))


def standing(label: str, found: Iterable[Duel]) -> tuple[Tally, Tally]:
    """A contestant's votes over all duels: the judge's, and people's."""
    judge, people = Tally(), Tally()
    for duel in found:
        if duel.first == label:
            judge, people = judge + duel.judge, people + duel.people
        elif duel.second == label:
            judge, people = judge + duel.judge.turned(), people + duel.people.turned()
    return judge, people
