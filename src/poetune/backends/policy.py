"""One policy for all calls to a server: how many at once, how many and how much a minute, and when to try again."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from poetune.errors import PoetuneError

T = TypeVar("T")
_WINDOW = 60.0
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a user allows: calls at once; requests and tokens a minute (0 = no limit); further tries of a failed call,
    and the seconds that one call may wait for them in all."""

    concurrency: int = 4
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    retries: int = 5
    patience: float = 180.0


USUAL = Limits()


class TryAgain(Exception):  # noqa: N818
    """A call failed in a way that may pass: `error` is raised once patience ends, `after` is the server's own wait."""

    def __init__(self, error: PoetuneError, after: float | None = None, retries: int | None = None) -> None:
        super().__init__(str(error))
        self.error, self.after, self.retries = error, after, retries


class Policy:
    """Shared by all threads that call one server."""

    def __init__(
        self,
        limits: Limits = USUAL,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limits, self._clock, self._sleep = limits, clock, sleep
        self._slots = threading.BoundedSemaphore(max(1, limits.concurrency))
        self._lock = threading.Lock()
        self._sent: deque[list[float]] = deque()  # [when, tokens], oldest first
        self._closed_until = 0.0

    def run(self, call: Callable[[], T], tokens: int = 0, used: Callable[[T], int] | None = None) -> T:
        """`call()` in its turn, tried again where it raises TryAgain.

        `tokens` is what it will take at a guess; `used` says what it took, so that later turns go by the truth.
        """
        waited, tried = 0.0, 0
        while True:
            with self._turn(tokens) as entry:
                try:
                    said = call()
                except TryAgain as failed:
                    again = failed
                else:
                    if used is not None:
                        entry[1] = used(said) or entry[1]
                    return said
            tried += 1
            pause = self._pause(again, tried)
            most = self.limits.retries if again.retries is None else min(again.retries, self.limits.retries)
            if tried > most or waited + pause > self.limits.patience:
                raise again.error from again
            waited += pause
            if again.after is not None:
                with self._lock:  # the server asked everybody to wait
                    self._closed_until = max(self._closed_until, self._clock() + again.after)
            else:
                self._sleep(pause)

    @staticmethod
    def _pause(failed: TryAgain, tried: int) -> float:
        if failed.after is not None:
            return failed.after
        return min(_LONGEST_PAUSE, 0.5 * 2.0 ** (tried - 1)) * (0.75 + random.random() / 2)  # noqa: S311 - no secret

    @contextmanager
    def _turn(self, tokens: int) -> Iterator[list[float]]:
        with self._slots:
            while True:
                with self._lock:
                    wait = self._wait(tokens)
                    if wait <= 0:
                        entry = [self._clock(), float(tokens)]
                        self._sent.append(entry)
                        break
                self._sleep(wait)
            yield entry

    def _wait(self, tokens: int) -> float:
        """Seconds until a request of so many tokens may go; a request beyond the whole limit goes alone."""
        now = self._clock()
        while self._sent and self._sent[0][0] <= now - _WINDOW:
            self._sent.popleft()
        if now < self._closed_until:
            return self._closed_until - now
        requests, room = self.limits.requests_per_minute, self.limits.tokens_per_minute
        full = bool(requests) and len(self._sent) >= requests
        heavy = bool(room) and bool(self._sent) and sum(size for _, size in self._sent) + tokens > room
        return self._sent[0][0] + _WINDOW - now if full or heavy else 0.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms` or `Retry-After` (seconds or a date); None if neither."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        told = headers.get("retry-after", "").strip()
        if not told:
            return None
        if told.replace(".", "", 1).isdigit():
            return float(told)
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
