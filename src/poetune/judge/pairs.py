"""Pairs of poems in both orders: whoever is preferred in one order only is not preferred."""

from collections.abc import Sequence
from itertools import combinations

from poetune.judge.blocks import Contest, Dealer, Entry
from poetune.recipe import Judging


def pair_calls(count: int) -> int:
    """Judge calls that all pairs of so many poems take."""
    return count * (count - 1)


def all_pairs(finalists: Sequence[Entry], contest: str, settings: Judging, seed: int, planned: int) -> Contest:
    """Every pair of the finalists in both orders, all at once; return the finalists' ids by pairs won, best first.

    Equals keep the order in which they came. Raises JudgeError when over `most_invalid` of the `planned` blocks were
    unreadable.
    """
    duels = [(a.id, b.id) for a, b in combinations(finalists, 2)]
    dealer = Dealer(contest, finalists, settings, seed, planned)
    yield from dealer.judge([order for a, b in duels for order in ((a, b), (b, a))], "pairs", as_given=True)
    won = dict.fromkeys((entry.id for entry in finalists), 0)
    for _, ranking in dealer.told:
        won[ranking[0]] += 1
    return sorted(won, key=lambda key: -won[key])
