"""Contests held with a simulated judge, for the tests of this folder."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from poetune.judge.blocks import Ask, Entry
from poetune.ports import Ballot, Judge

Log = list[tuple[Ask, Ballot]]


def entries(count: int) -> list[Entry]:
    return [
        Entry(f"p{i:03}", f"theme {i % 4}", f"poem {i} " + "x" * (i % 7), (f"model {i % 3}", f"theme {i % 4}"))
        for i in range(count)
    ]


def play(
    game: Generator[tuple[Ask, ...], Sequence[Ballot], list[str]],
    judge: Judge,
    answer: Callable[[Ask, Ballot], Ballot] = lambda ask, ballot: ballot,
) -> tuple[list[str], Log]:
    log: Log = []
    try:
        asks = next(game)
        while True:
            ballots = [answer(ask, judge.rank(ask.block, ask.stage)) for ask in asks]
            log += zip(asks, ballots, strict=True)
            asks = game.send(ballots)
    except StopIteration as end:
        order: list[str] = end.value
        return order, log


INVALID: Any = Ballot((), "invalid", "What lovely poems!", "the answer holds no ranking")
