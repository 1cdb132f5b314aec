"""What a poem has said already weighs less, or is forbidden; both look at the poem alone, never at the prompt."""

from collections.abc import Sequence
from typing import Any

import torch


class Repetition:
    """Keskar et al. (2019): logits of ids that the poem holds are divided by the penalty, negative ones multiplied.

    Line breaks and the end of the text are spared: verse must repeat them.
    """

    def __init__(self, poems: Sequence[Sequence[int]], penalties: Sequence[float], spared: list[int], device: Any):
        self.active = any(penalty != 1 for penalty in penalties)
        self._penalty = torch.tensor(penalties, device=device)[:, None]
        self._spared = torch.zeros(1 + max(spared), dtype=torch.bool, device=device)
        self._spared[torch.tensor(spared, device=device)] = True
        longest = max(len(poem) for poem in poems)
        self._said = torch.full((len(poems), longest), spared[0], dtype=torch.long, device=device)
        for i, poem in enumerate(poems):
            self._said[i, : len(poem)] = torch.tensor(poem, dtype=torch.long, device=device)

    def apply(self, logits: Any) -> None:
        """Change the logits (batch, vocabulary) in place."""
        if not self.active or not self._said.shape[1]:
            return
        old = logits.gather(1, self._said)
        new = torch.where(old > 0, old / self._penalty, old * self._penalty)
        spared = self._spared[self._said.clamp(max=len(self._spared) - 1)] & (self._said < len(self._spared))
        logits.scatter_(1, self._said, torch.where(spared, old, new))

    def add(self, tokens: Any) -> None:
        """One more token a row."""
        if self.active:
            self._said = torch.cat([self._said, tokens[:, None]], dim=1)

    def select(self, rows: Any) -> None:
        """Keep some rows."""
        self._penalty, self._said = self._penalty[rows], self._said[rows]


class SeatedRepetition:
    """Repetition for rows that come and go: a seat keeps what its poem has said until another sits down."""

    def __init__(self, seats: int, spared: list[int], device: Any) -> None:
        self._filler, self._device = spared[0], device
        self._spared = torch.zeros(1 + max(spared), dtype=torch.bool, device=device)
        self._spared[torch.tensor(spared, device=device)] = True
        self._penalty = torch.ones((seats, 1), device=device)
        self._said = torch.full((seats, 64), self._filler, dtype=torch.long, device=device)
        self._count = torch.zeros(seats, dtype=torch.long, device=device)

    def seat(self, seat: int, poem: Sequence[int], penalty: float) -> None:
        """A poem and its penalty take a seat."""
        self._widen(len(poem))
        self._said[seat] = self._filler
        self._said[seat, : len(poem)] = torch.tensor(poem, dtype=torch.long, device=self._device)
        self._count[seat], self._penalty[seat] = len(poem), penalty

    def apply(self, logits: Any, seats: Any) -> None:
        """Change the logits (rows, vocabulary) of the rows in these seats, in place."""
        penalty = self._penalty[seats]
        if bool((penalty == 1).all()):
            return
        said = self._said[seats][:, : max(1, int(self._count[seats].max()))]
        old = logits.gather(1, said)
        new = torch.where(old > 0, old / penalty, old * penalty)
        spared = self._spared[said.clamp(max=len(self._spared) - 1)] & (said < len(self._spared))
        logits.scatter_(1, said, torch.where(spared, old, new))

    def add(self, tokens: Any, seats: Any) -> None:
        """One more token in each of these seats."""
        at = self._count[seats]
        self._widen(int(at.max()) + 1)
        self._said[seats, at] = tokens
        self._count[seats] = at + 1

    def _widen(self, need: int) -> None:
        wide = self._said.shape[1]
        if need > wide:
            more = torch.full((len(self._said), max(need - wide, wide)), self._filler, device=self._device)
            self._said = torch.cat([self._said, more], 1)
