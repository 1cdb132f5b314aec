"""Four ways to find the best of many poems with an erring judge, each played with poetune's own simulated judge."""

import math
import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import Any

from poetune.judge.blocks import Ask, Entry
from poetune.judge.funnel import funnel
from poetune.judge.ratings import ratings
from poetune.judge.simulated import SimulatedJudge
from poetune.judge.tournament import tournament
from poetune.judge.verdicts import verdict
from poetune.ports import Ballot, Block
from poetune.recipe import Judging, Simulated
from poetune.records import Verdict

TITLES = 20
PICKS, NEAR = 5, 20


@dataclass
class Field:
    """One seed's candidates, their hidden qualities and the judge, who counts what it is asked."""

    count: int
    seed: int
    settings: Simulated
    calls: int = 0
    qualities: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        lengths = [round(400 * math.exp(chance.gauss(0, 0.4))) for _ in range(self.count)]
        self.entries = [
            Entry(f"p{i:05}", f"theme {i % TITLES}", f"{self.seed}:{i} ".ljust(lengths[i], "x"), (f"model {i % 7}",))
            for i in range(self.count)
        ]
        self.qualities = {entry.id: chance.gauss(0, 1) for entry in self.entries}
        self.judge = SimulatedJudge(self.settings, self.qualities, self.seed)

    def rank(self, shown: Sequence[Entry], again: str = "") -> Ballot:
        """One call."""
        self.calls += 1
        block = Block(tuple(e.id for e in shown), ("",) * len(shown), tuple(e.text for e in shown))
        return self.judge.rank(block, "bench" + again)

    def play(self, contest: Generator[tuple[Ask, ...], Sequence[Ballot], Any]) -> tuple[list[Verdict], Any]:
        """All verdicts of a contest, and what it returned."""
        kept: list[Verdict] = []
        try:
            asks = next(contest)
            while True:
                ballots = []
                for ask in asks:
                    self.calls += 1
                    ballots.append(self.judge.rank(ask.block, ask.stage + str(ask.attempt)))
                    kept.append(verdict(ask, ballots[-1], "simulated", "bench"))
                asks = contest.send(ballots)
        except StopIteration as end:
            return kept, end.value

    def found(self, picks: Sequence[str]) -> tuple[float, float]:
        """Share of the true five best among the picks, and of the picks among the true twenty best."""
        best = sorted(self.qualities, key=lambda key: -self.qualities[key])
        return len(set(picks) & set(best[:PICKS])) / PICKS, len(set(picks) & set(best[:NEAR])) / max(1, len(picks))


def by_funnel(poems: Field, calls: int) -> list[str]:
    """poetune's own; `calls` 0 = its own plan."""
    looks = {"looks": calls * 10 / poems.count} if calls else {}
    kept, _ = poems.play(funnel(poems.entries, Judging(most_invalid=1.0, **looks), poems.seed))
    texts = {e.id: e.text for e in poems.entries}
    return [r.id for r in ratings(kept, texts, replicates=0)][:PICKS]


def by_title(poems: Field, calls: int) -> list[str]:
    """The source's tournament; with calls to spare (or a tenth more) it is held again, and who won most often wins."""
    won: dict[str, float] = {}
    turn = 0
    while turn == 0 or poems.calls + poems.calls / turn <= 1.1 * calls:
        _, winners = poems.play(tournament(poems.entries, Judging(most_invalid=1.0), 1000 * poems.seed + turn))
        for place, key in enumerate(winners):
            won[key] = won.get(key, 0) + 1 + (PICKS - place) / 100
        turn += 1
    return sorted(won, key=lambda key: (-won[key], key))[:PICKS]


def by_marks(poems: Field, calls: int) -> list[str]:
    """A mark from 1 to 10 for each poem alone; with few calls for as many as they reach, with more several each."""
    marks: dict[str, list[int]] = {}
    order = random.Random(poems.seed + 1).sample(poems.entries, poems.count)
    for turn in range(calls or poems.count):
        entry = order[turn % len(order)]
        poems.calls += 1
        felt = poems.judge.felt(entry.id, entry.text, turn)
        if felt is not None:
            marks.setdefault(entry.id, []).append(min(10, max(1, round(5.5 + 2 * felt))))
    chance = random.Random(poems.seed + 2)
    return sorted(marks, key=lambda key: (-mean(marks[key]), chance.random()))[:PICKS]


def by_knockout(poems: Field, calls: int) -> list[str]:
    """Pairs in both orders, the winner goes on; a split decision falls to chance. Few calls reach few poems."""
    chance = random.Random(poems.seed + 3)
    size = min(poems.count, calls // 2 + 1) if calls else poems.count
    pool = chance.sample(poems.entries, size)
    out: list[Entry] = []
    while len(pool) > 1:
        going, left = [], []
        for first, second in zip(pool[::2], pool[1::2], strict=False):
            wins = [poems.rank(pair).ranking[:1] for pair in ((first, second), (second, first))]
            votes = sum((win == (first.id,)) - (win == (second.id,)) for win in wins)
            ahead = first if votes > 0 or (votes == 0 and chance.random() < 0.5) else second
            going.append(ahead)
            left.append(second if ahead is first else first)
        out = left + out
        pool = going + pool[len(pool) - len(pool) % 2 :]
    return [entry.id for entry in [*pool, *out]][:PICKS]


WAYS: dict[str, Callable[[Field, int], list[str]]] = {
    "funnel": by_funnel,
    "per_title": by_title,
    "pointwise": by_marks,
    "knockout": by_knockout,
}


def measure(
    way: str, candidates: int, seeds: int, settings: Simulated, calls: int = 0, first_seed: int = 0
) -> dict[str, float]:
    """Means over the seeds: `calls`, `recall5`, `top20`, and the standard error of recall5."""
    rows = []
    for seed in range(first_seed, first_seed + seeds):
        poems = Field(candidates, seed, settings)
        picks = WAYS[way](poems, calls)
        rows.append((poems.calls, *poems.found(picks)))
    error = stdev(row[1] for row in rows) / math.sqrt(seeds) if seeds > 1 else 0.0
    names = ("calls", "recall5", "top20")
    return {name: round(mean(row[i] for row in rows), 4) for i, name in enumerate(names)} | {
        "recall5_error": round(error, 4),
        "most_calls": max(row[0] for row in rows),
    }
