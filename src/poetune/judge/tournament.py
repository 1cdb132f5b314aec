"""A knockout of small blocks, sans-IO: the generator yields what to ask a judge and is sent the ballots."""

import math
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from poetune.errors import JudgeError
from poetune.ports import Ballot, Block
from poetune.recipe import Judging
from poetune.records import digest

FINAL = "final"
ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A poem that takes part. Poems of one `group` (their model, say) are spread over the blocks."""

    id: str
    title: str
    text: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One judge call. `id` is a hash of what is asked, so a stored verdict with this id answers it."""

    id: str
    contest: str
    stage: str
    attempt: int
    block: Block


@dataclass(frozen=True, slots=True)
class Place:
    """How far a poem came: its last stage, and its place among the `of` poems of its last block (1 is best)."""

    id: str
    stage: str
    place: int
    of: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """`winners` are the best of the final, in order; `placed` holds every poem with a place, latest stage first.

    Equal places of different blocks of one stage were never compared: their order in `placed` says nothing.
    `unranked` are poems whose last block got no readable answer. Each entry is in `placed` or in `unranked`, once.
    """

    contest: str
    winners: tuple[str, ...]
    placed: tuple[Place, ...]
    unranked: tuple[str, ...]
    calls: int
    invalid: int


Rounds = Generator[tuple[Ask, ...], Sequence[Ballot], Outcome]


def contest_id(entries: Sequence[Entry], settings: Judging, seed: int) -> str:
    """Hash of who takes part, who judges and how; the order of the entries does not matter."""
    who = sorted([entry.id, entry.title, entry.text] for entry in entries)
    how = [settings.judge, settings.model, settings.rubric, settings.batch, settings.finals, seed]
    return digest("contest", who, how)


def blocks_in(count: int, batch: int) -> list[int]:
    """Sizes of the fewest blocks of at most `batch` that hold `count` poems, as even as they can be."""
    blocks = math.ceil(count / batch)
    return [count // blocks + (i < count % blocks) for i in range(blocks)]


def going_on(size: int, blocks: int, batch: int, finals: int) -> int:
    """How many of a block of `size` go on: ceil(finals/blocks), but never all of a block that was judged."""
    return min(math.ceil(min(finals, batch) / blocks), max(1, size - 1))


def expected_calls(count: int, settings: Judging) -> int:
    """Judge calls that a contest of `count` poems takes when each answer is readable."""
    calls = 0
    while count > settings.batch:
        sizes = blocks_in(count, settings.batch)
        calls += sum(size > 1 for size in sizes)
        count = sum(going_on(size, len(sizes), settings.batch, settings.finals) for size in sizes)
    return calls + (count > 1)


def tournament(entries: Sequence[Entry], settings: Judging, seed: int, attempts: int = ATTEMPTS) -> Rounds:
    """Yield the calls of a stage (to be made in any order), be sent their ballots in order, return the outcome.

    Blocks of at most `settings.batch` are ranked; of M blocks, ceil(finals/M) of each go on; once one block holds all,
    it is the final. A block without a readable answer is asked again in a new order; after `attempts` its poems are
    unranked and none of them goes on. Raises JudgeError when over `most_invalid` of all calls were unreadable.
    """
    by_id = {entry.id: entry for entry in entries}
    if len(by_id) < len(entries):
        raise JudgeError("a poem stands twice among those to be judged; give each candidate once")
    contest = contest_id(entries, settings, seed)
    state = _State(contest, by_id, settings, seed, attempts)
    pool = sorted(by_id)
    number = 0
    while len(pool) > settings.batch:
        number += 1
        dealt = state.deal(pool, str(number))
        ranked = yield from state.judge(dealt, str(number))
        pool = []
        for block, ranking in zip(dealt, ranked, strict=True):
            on = going_on(len(block), len(dealt), settings.batch, settings.finals)
            pool += ranking[:on]
            state.place(ranking[on:], str(number), ranking)
    final = (yield from state.judge([pool], FINAL))[0] if pool else []
    state.place(final, FINAL, final)
    last_first = reversed(state.places.values())
    placed = tuple(p for stage in last_first for p in sorted(stage, key=lambda p: (p.place, p.id)))
    winners = tuple(final[: settings.finals])
    return Outcome(contest, winners, placed, tuple(state.unranked), state.calls, state.invalid)


class _State:
    """What a running contest remembers: where each poem was shown, and what became of it."""

    def __init__(self, contest: str, by_id: dict[str, Entry], settings: Judging, seed: int, attempts: int) -> None:
        self.contest, self.by_id, self.settings, self.seed, self.attempts = contest, by_id, settings, seed, attempts
        self.slots: dict[str, list[float]] = {key: [] for key in by_id}
        self.places: dict[str, list[Place]] = {}
        self.unranked: list[str] = []
        self.calls = self.invalid = 0

    def _random(self, *what: object) -> random.Random:
        return random.Random(digest("deal", self.contest, self.seed, *what))  # noqa: S311

    def deal(self, pool: Sequence[str], stage: str) -> list[list[str]]:
        """Shuffle, then deal group by group like cards, so that each block holds a share of each group."""
        cards = sorted(pool)
        self._random(stage).shuffle(cards)
        cards.sort(key=lambda key: self.by_id[key].group)
        count = len(blocks_in(len(cards), self.settings.batch))
        return [cards[i::count] for i in range(count)]

    def order(self, block: Sequence[str], stage: str, attempt: int) -> list[str]:
        """The order shown: poems shown late so far come early now, the rest by chance, since judges favour slots."""
        cards = sorted(block)
        self._random(stage, cards, attempt).shuffle(cards)
        seen = {key: sum(s) / len(s) if (s := self.slots[key]) else 0.5 for key in cards}
        return sorted(cards, key=lambda key: -seen[key])

    def ask(self, block: Sequence[str], stage: str, attempt: int) -> Ask:
        """One call, with an id that depends on everything that is shown."""
        shown = tuple(self.order(block, stage, attempt))
        for slot, key in enumerate(shown):
            self.slots[key].append(slot / (len(shown) - 1))
        entries = [self.by_id[key] for key in shown]
        parts = Block(shown, tuple(e.title for e in entries), tuple(e.text for e in entries))
        return Ask(digest("ask", self.contest, stage, shown, attempt), self.contest, stage, attempt, parts)

    def judge(
        self, dealt: Sequence[Sequence[str]], stage: str
    ) -> Generator[tuple[Ask, ...], Sequence[Ballot], list[list[str]]]:
        """Rankings of a stage's blocks, empty where no answer could be read; a block of one poem needs no call."""
        ranked: list[list[str]] = [list(block) if len(block) == 1 else [] for block in dealt]
        open_blocks = [i for i, block in enumerate(dealt) if len(block) > 1]
        for attempt in range(1, self.attempts + 1):
            if not open_blocks:
                break
            asks = tuple(self.ask(dealt[i], stage, attempt) for i in open_blocks)
            ballots = yield asks
            still = []
            for i, ask, ballot in zip(open_blocks, asks, ballots, strict=True):
                self.calls += 1
                if ballot.status == "ok" and sorted(ballot.ranking) == sorted(ask.block.ids):
                    ranked[i] = list(ballot.ranking)
                else:
                    self.invalid += 1
                    still.append(i)
            open_blocks = still
        for i in open_blocks:
            self.unranked += sorted(dealt[i])
        if self.calls and self.invalid / self.calls > self.settings.most_invalid:
            raise JudgeError(
                f"{self.invalid} of {self.calls} answers of the judge {self.settings.judge} could not be read; "
                "use a more able model, make judge.batch smaller, or raise judge.most_invalid"
            )
        return ranked

    def place(self, out: Sequence[str], stage: str, ranking: Sequence[str]) -> None:
        """Note the places of the poems that end here."""
        offset = len(ranking) - len(out)
        here = self.places.setdefault(stage, [])
        here += [Place(key, stage, offset + i + 1, len(ranking)) for i, key in enumerate(out)]
