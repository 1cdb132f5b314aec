"""The tournament of each title, as a source held it: mini-batches, the best of each, a final; then winners meet.

Sans-IO, like the funnel. Unlike its model, a batch without a readable answer sends nobody on.
"""

import math
from collections.abc import Generator, Sequence

from poetune.judge.blocks import Ask, Contest, Dealer, Entry, blocks_in, contest_id
from poetune.ports import Ballot
from poetune.recipe import Judging


def going_on(size: int, blocks: int, batch: int, finals: int) -> int:
    """How many of a block of `size` go on: ceil(finals/blocks), but never all of a block that was judged."""
    return min(math.ceil(min(finals, batch) / blocks), max(1, size - 1))


def tournament_calls(entries: Sequence[Entry], settings: Judging) -> int:
    """Judge calls that it takes when each answer is readable."""
    titles = _by_title(entries)
    ends = [_knocked(len(found), settings) for found in titles.values()]
    winners = sum(min(settings.finals, left) for _, left in ends)
    return sum(calls for calls, _ in ends) + (_knocked(winners, settings)[0] if len(titles) > 1 else 0)


def tournament(entries: Sequence[Entry], settings: Judging, seed: int) -> Contest:
    """Yield the calls of a stage, be sent their ballots in order, return the winners, best first.

    Each title's poems are knocked out in blocks until one block is its final; the first `finals` of every title are
    then knocked out together. Raises JudgeError when over `most_invalid` of the blocks were unreadable.
    """
    planned = tournament_calls(entries, settings)
    dealer = Dealer(contest_id(entries, settings, seed), entries, settings, seed, planned)
    titles = _by_title(entries)
    going = {title: [e.id for e in found] for title, found in titles.items()}
    if len(going) > 1:
        finalists = yield from _knock_out(dealer, going, "title")
        going = {"all": [key for found in finalists.values() for key in found[: settings.finals]]}
    last = yield from _knock_out(dealer, going, "final")
    return next(iter(last.values()), [])[: settings.finals]


def _knock_out(
    dealer: Dealer, going: dict[str, list[str]], stage: str
) -> Generator[tuple[Ask, ...], Sequence[Ballot], dict[str, list[str]]]:
    """Rankings of the last block of each field; all fields of a stage are asked at once."""
    settings, finished, number = dealer.settings, {}, 0
    while going:
        number += 1
        dealt = {name: dealer.deal(pool, stage, name, number) for name, pool in going.items()}
        flat = [block for blocks in dealt.values() for block in blocks]
        ranked = iter((yield from dealer.judge(flat, f"{stage} {number}")))
        after: dict[str, list[str]] = {}
        for name, blocks in dealt.items():
            found = [next(ranked) for _ in blocks]
            if len(blocks) <= 1:
                finished[name] = found[0] if found else []
                continue
            after[name] = []
            for block, ranking in zip(blocks, found, strict=True):
                after[name] += ranking[: going_on(len(block), len(blocks), settings.batch, settings.finals)]
        going = after
    return finished


def _knocked(count: int, settings: Judging) -> tuple[int, int]:
    """Calls until one block is ranked, and the poems of that block."""
    calls = 0
    while count > settings.batch:
        sizes = blocks_in(count, settings.batch)
        calls += sum(size > 1 for size in sizes)
        count = sum(going_on(size, len(sizes), settings.batch, settings.finals) for size in sizes)
    return calls + (count > 1), count


def _by_title(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.id):
        found.setdefault(" ".join(entry.title.split()).casefold(), []).append(entry)
    return found
