"""Blocks of poems for a judge: dealt so that each holds a share of every group, shown so that slots even out."""

import math
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from poetune.errors import JudgeError
from poetune.ports import Ballot, Block
from poetune.recipe import Judging
from poetune.records import digest

FIRST, AGAIN = 1, 2  # attempts: an unreadable answer is asked for once more


@dataclass(frozen=True, slots=True)
class Entry:
    """A poem that takes part. Poems of one `group` (checkpoint, template and theme, say) are spread over the blocks."""

    id: str
    title: str
    text: str
    group: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One judge call. `id` is a hash of what is asked, so a stored verdict with this id answers it."""

    id: str
    contest: str
    stage: str
    attempt: int
    block: Block


Told = tuple[Sequence[str], Sequence[str]]  # as shown, as ranked
Asking = Generator[tuple[Ask, ...], Sequence[Ballot], list[list[str]]]
Contest = Generator[tuple[Ask, ...], Sequence[Ballot], list[str]]


def contest_id(entries: Sequence[Entry], settings: Judging, seed: int) -> str:
    """Hash of who takes part, who judges and how; the order of the entries does not matter."""
    who = sorted([entry.id, entry.title, entry.text] for entry in entries)
    how = [settings.judge, settings.model, settings.rubric, settings.batch, settings.finals, settings.looks]
    return digest("contest", who, how, settings.style, settings.pairs, seed)


def blocks_in(count: int, batch: int) -> list[int]:
    """Sizes of the fewest blocks of at most `batch` that hold `count` poems, as even as they can be."""
    blocks = math.ceil(count / batch)
    return [count // blocks + (i < count % blocks) for i in range(blocks)]


class Dealer:
    """What a running contest remembers: where each poem was shown, and how many answers could be read."""

    def __init__(self, contest: str, entries: Sequence[Entry], settings: Judging, seed: int, planned: int) -> None:
        """`planned` is the number of blocks in all. Raises JudgeError where a poem stands twice."""
        self.by_id = {entry.id: entry for entry in entries}
        if len(self.by_id) < len(entries):
            raise JudgeError("a poem stands twice among those to be judged; give each candidate once")
        self.contest, self.settings, self.seed, self.planned = contest, settings, seed, planned
        self.calls = self.invalid = 0
        self.told: list[Told] = []
        self._slots: dict[str, list[float]] = {key: [] for key in self.by_id}

    def chance(self, *what: object) -> random.Random:
        """Randomness of its own for `what`, the same whenever the contest is held again."""
        return random.Random(digest("deal", self.contest, self.seed, *what))  # noqa: S311

    def generator(self, *what: object) -> np.random.Generator:
        """The same for numpy."""
        return np.random.default_rng(int(digest("draw", self.contest, self.seed, *what), 16))

    def deal(self, pool: Sequence[str], *what: object) -> list[list[str]]:
        """Shuffle, then deal group by group like cards, so that each block holds a share of each group."""
        cards = sorted(pool)
        self.chance(*what).shuffle(cards)
        cards.sort(key=lambda key: self.by_id[key].group)
        count = len(blocks_in(len(cards), self.settings.batch)) if cards else 0
        return [cards[i::count] for i in range(count)]

    def judge(self, blocks: Sequence[Sequence[str]], stage: str, *, as_given: bool = False) -> Asking:
        """Rankings of the blocks, empty where no answer could be read even when asked again in another order.

        With `as_given` the poems are shown in the order given, each time. A block of one poem needs no call. Raises
        JudgeError when more than `most_invalid` of all planned blocks had no readable answer.
        """
        ranked = [list(block) if len(block) == 1 else [] for block in blocks]
        todo = [i for i, block in enumerate(blocks) if len(block) > 1]
        for attempt in (FIRST, AGAIN):
            asks = tuple(self._ask(blocks[i], stage, attempt, as_given) for i in todo)
            ballots = (yield asks) if asks else ()
            for i, ask, ballot in zip(todo, asks, ballots, strict=True):
                self.calls += 1
                if ballot.status == "ok" and sorted(ballot.ranking) == sorted(ask.block.ids):
                    ranked[i] = list(ballot.ranking)
                    self.told.append((ask.block.ids, ballot.ranking))
            todo = [i for i in todo if not ranked[i]]
        self.invalid += len(todo)
        if self.invalid > self.settings.most_invalid * max(self.planned, 1):
            raise JudgeError(
                f"{self.invalid} of {self.planned} blocks had no answer of {self.settings.model or self.settings.judge}"
                " that could be read, also when asked again; use a more able model, make judge.batch smaller, or raise "
                "judge.most_invalid, and what was answered will be used"
            )
        return ranked

    def _ask(self, block: Sequence[str], stage: str, attempt: int, as_given: bool) -> Ask:
        """One call, with an id that depends on everything that is shown."""
        shown = tuple(block) if as_given else tuple(self._order(block, stage, attempt))
        for slot, key in enumerate(shown):
            self._slots[key].append(slot / (len(shown) - 1))
        entries = [self.by_id[key] for key in shown]
        parts = Block(shown, tuple(e.title for e in entries), tuple(e.text for e in entries))
        return Ask(digest("ask", self.contest, stage, shown, attempt), self.contest, stage, attempt, parts)

    def _order(self, block: Sequence[str], stage: str, attempt: int) -> list[str]:
        """Poems shown late so far come early now, the rest by chance, since judges favour slots."""
        cards = sorted(block)
        self.chance(stage, cards, attempt).shuffle(cards)
        seen = {key: sum(slots) / len(slots) if (slots := self._slots[key]) else 0.5 for key in cards}
        return sorted(cards, key=lambda key: -seen[key])
