"""From a judge's ballot to the verdict that is kept, and back again when a contest is resumed."""

from dataclasses import replace

from poetune.judge.blocks import Ask
from poetune.ports import Ballot, Block
from poetune.records import Verdict


def checked(block: Block, ballot: Ballot) -> Ballot:
    """The ballot itself if it ranks exactly the block's poems; otherwise the same answer marked invalid."""
    if ballot.status == "invalid":
        return replace(ballot, ranking=())
    if sorted(ballot.ranking) == sorted(block.ids):
        return ballot
    return replace(ballot, ranking=(), status="invalid", reason="the ranking does not name each poem exactly once")


def verdict(ask: Ask, ballot: Ballot, judge: str, rubric: str, round_number: int = 1) -> Verdict:
    """The record of one call; an unusable ballot becomes an invalid verdict without a ranking."""
    sound = checked(ask.block, ballot)
    return Verdict(
        id=ask.id,
        contest=ask.contest,
        judge=judge,
        rubric=rubric,
        shown=ask.block.ids,
        ranking=sound.ranking,
        status=sound.status,
        raw=sound.raw,
        reason=sound.reason,
        stage=ask.stage,
        round=round_number,
    )


def ballot(kept: Verdict) -> Ballot:
    """The answer that a stored verdict holds, to be sent into the tournament in place of a new call."""
    return Ballot(kept.ranking, kept.status, kept.raw, kept.reason)
