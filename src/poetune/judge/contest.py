"""A contest: the funnel or the tournament of each title, then pairs of the best if they are wanted."""

from collections.abc import Sequence

from poetune.judge.blocks import Contest, Entry, contest_id
from poetune.judge.funnel import funnel, funnel_calls
from poetune.judge.pairs import all_pairs, pair_calls
from poetune.judge.tournament import tournament, tournament_calls
from poetune.recipe import Judging


def contest_calls(entries: Sequence[Entry], settings: Judging) -> int:
    """Judge calls of the whole contest when each answer is readable."""
    main = (
        tournament_calls(entries, settings) if settings.style == "per-title" else funnel_calls(len(entries), settings)
    )
    return main + pair_calls(min(settings.pairs, len(entries)))


def contest(entries: Sequence[Entry], settings: Judging, seed: int) -> Contest:
    """Yield calls in waves (each to be made in any order), be sent the ballots in order; return ids, best first.

    Raises JudgeError when more than `most_invalid` of the blocks had no readable answer.
    """
    held = tournament if settings.style == "per-title" else funnel
    order = yield from held(entries, settings, seed)
    if settings.pairs > 1 and len(order) > 1:
        by_id = {entry.id: entry for entry in entries}
        finalists = [by_id[key] for key in order[: settings.pairs]]
        planned = contest_calls(entries, settings)
        first = yield from all_pairs(finalists, contest_id(entries, settings, seed), settings, seed, planned)
        order = first + order[settings.pairs :]
    return order
