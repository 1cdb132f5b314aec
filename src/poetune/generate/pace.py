"""How fast poems come."""

import time
from collections import deque
from collections.abc import Callable

WINDOW = 60.0  # seconds that the pace is taken over, so that a slow start is forgotten


class Pace:
    """Told of each poem; its note has poems a minute and how many gates held back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._recent: deque[float] = deque()
        self._done = self._held = 0

    def step(self, held: bool) -> str:
        """One more poem is written; `held` if a gate holds it back."""
        now = self._clock()
        self._done += 1
        self._held += held
        self._recent.append(now)
        while self._recent[0] < now - WINDOW:
            self._recent.popleft()
        whole = self._done == len(self._recent)
        rate = len(self._recent) / max(now - (self._began if whole else self._recent[0]), 1e-3) * 60
        return f"{rate:.0f} poems/min" + (f", {self._held} held back" if self._held else "")
