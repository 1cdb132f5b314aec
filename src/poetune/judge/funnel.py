"""The funnel: all poems once, the best third again, then waves of 30 of the best tenth until the calls are used.

1000 -> 300 -> 100 -> 30 -> a ranking of all. Each wave is drawn from the posterior (Thompson 1933), so that calls go to
poems whose place among the best is open. Sans-IO: it yields what to ask and is sent the ballots.
"""

import math
from collections.abc import Sequence

import numpy as np

from poetune.judge.blocks import Contest, Dealer, Entry, Told, blocks_in, contest_id
from poetune.judge.plackett import Floats
from poetune.judge.scale import Scale
from poetune.recipe import Judging

_KEEP = 0.3
_LAST = 10  # blocks' worth of poems at which waves begin
_OPEN = 60  # poems from which a wave is drawn
_WAVE = 3  # blocks to a wave
_ECHO = 7  # after so many waves, the last one's blocks are shown again in reverse: is the judge steady?


def funnel_calls(count: int, settings: Judging) -> int:
    """Judge calls that a funnel of `count` poems takes when each answer is readable."""
    if count < 2:
        return 0
    first = len(blocks_in(count, settings.batch))
    return max(first + 1, round(settings.looks * count / settings.batch))


def funnel(entries: Sequence[Entry], settings: Judging, seed: int) -> Contest:
    """Yield the calls of a wave (to be made in any order), be sent their ballots in order; return ids, best first.

    Raises JudgeError when more than `most_invalid` of the blocks had no readable answer.
    """
    total = funnel_calls(len(entries), settings)
    dealer = Dealer(contest_id(entries, settings, seed), entries, settings, seed, total)
    open_field = _Field(Scale({e.id: e.text for e in entries}))
    pool, stage, wave = sorted(dealer.by_id), 0, 0
    while len(pool) > 1 and (stage == 0 or len(pool) > _LAST * settings.batch):
        stage += 1
        yield from dealer.judge(dealer.deal(pool, stage)[: total - dealer.calls], str(stage))
        open_field.hear(dealer.told)
        least = max(2 * settings.finals, settings.batch)
        pool = open_field.best(pool)[: max(math.ceil(_KEEP * len(pool)), least)]
    while len(pool) > 1 and dealer.calls < total:
        wave += 1
        width = min(_WAVE, math.ceil(len(pool) / settings.batch))
        echo = wave % _ECHO == 0 or (1 < wave < _ECHO and total - dealer.calls <= width)
        if echo:
            blocks = [list(shown)[::-1] for shown, _ in dealer.told[-width:]]
        else:
            drawn = open_field.drawn(pool, dealer.generator("wave", wave), _WAVE * settings.batch)
            blocks = dealer.deal(drawn, "all", wave)
        yield from dealer.judge(blocks[: total - dealer.calls], "all", as_given=echo)
        open_field.hear(dealer.told)
    return open_field.best(sorted(dealer.by_id))


class _Field:
    """What is believed of the poems so far."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._peak: Floats | None = None
        self._rankings = scale.rankings([])

    def hear(self, told: Sequence[Told]) -> None:
        self._rankings = self._scale.rankings(told)
        self._peak = self._scale.peak(self._rankings, self._peak)

    def best(self, pool: Sequence[str]) -> list[str]:
        """The pool by strength; equals by id."""
        return sorted(pool, key=lambda key: (-round(self._strength(key), 6), key))

    def drawn(self, pool: Sequence[str], chance: np.random.Generator, count: int) -> list[str]:
        """The first `count` of the pool in one draw from what is believed."""
        likely = self.best(pool)[:_OPEN]
        at = [self._scale.at[key] for key in likely]
        assert self._peak is not None
        root = np.linalg.cholesky(self._scale.doubt(self._rankings, self._peak, at))
        draw = self._peak[at] + root @ chance.normal(size=len(at))
        return [likely[i] for i in np.argsort(-draw, kind="stable")[:count]]

    def _strength(self, key: str) -> float:
        return 0.0 if self._peak is None else float(self._peak[self._scale.at[key]])
