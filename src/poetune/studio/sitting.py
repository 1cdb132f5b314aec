"""A reader at a queue: acts and undos that are on disk before the next one is shown."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from poetune.errors import ReviewError
from poetune.records import Review, Vote
from poetune.review import Ledger, seconds_left
from poetune.review.pace import WINDOW
from poetune.review.view import Progress
from poetune.store.queries import acts_after
from poetune.studio.holding import Holding

A = TypeVar("A", Review, Vote)
Status = Literal["new", "repeated", "taken", "nothing"]


def utc() -> datetime:
    """The time now."""
    return datetime.now(UTC)


class Sitting(Generic[A]):
    """One reviewer before one queue of subjects; decided ones stay in it, so that an undo reaches them.

    Safe for several threads, tabs and processes.
    """

    def __init__(
        self, kind: type[A], path: Path, queue: Sequence[str], reviewer: str, clock: Callable[[], datetime] = utc
    ) -> None:
        self.reviewer = reviewer
        self.queue = tuple(queue)
        self.among = frozenset(queue)
        self.ledger: Ledger[A] = Ledger(reviewer)
        self.holding = Holding(path)
        self._kind: type[A] = kind
        self._clock = clock
        self._read = ""  # token of the last row taken in
        # Kept up to date act by act: a queue of thousands is not counted anew for every key.
        self._place = {subject: place for place, subject in enumerate(self.queue)}
        self._stands: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._start = 0  # every subject before this place is decided

    def close(self) -> None:
        """Close the database."""
        self.holding.close()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hold the database, with what other tabs and processes wrote taken in."""
        with self.holding.open():
            self._catch_up()
            yield

    def now(self) -> str:
        """The time as acts keep it."""
        return self._clock().isoformat(timespec="milliseconds")

    # below, `open` is held -------------------------------------------------------------------------------------------

    def record(self, act: A) -> Status:
        """Write an act: `repeated` where its token was written before, `taken` where its subject is decided.

        Raises ReviewError where the token stands for another act.
        """
        status: Status = "new"
        with self.holding.store.transaction():  # another tab or process cannot come between the look and the row
            self._catch_up()
            if self._written(act.token, act.action, act.subject):
                status = "repeated"
            elif self.ledger.action(act.subject) not in (None, "skip"):
                status = "taken"
            else:
                self.holding.store.add([act])
        self._catch_up()
        return status

    def cancel(self, token: str, make: Callable[[A, dict[str, Any]], A]) -> tuple[Status, str | None]:
        """Undo the latest act that holds; returns its subject if that is open again.

        `make` is given the act to cancel and the fields of the undo.
        """
        status: Status = "repeated"
        with self.holding.store.transaction():
            self._catch_up()
            undone = self._written(token, "undo")
            if undone is None and (target := self.ledger.last(self.among)) is not None:
                status = "new"
                fields = {"token": token, "reviewer": self.reviewer, "cancels": target.token, "at": self.now()}
                undone = make(target, {**fields, "action": "undo"})
                self.holding.store.add([undone])
        self._catch_up()
        if undone is None:
            return "nothing", None
        return status, undone.subject if self.ledger.action(undone.subject) in (None, "skip") else None

    def next(self, again: bool, passed: Callable[[str], bool] = lambda _: False) -> str | None:
        """The first undecided subject that is not `passed`; with `again`, when none is left, the oldest skipped one."""
        while self._start < len(self.queue) and self.queue[self._start] in self._stands:
            self._start += 1
        for subject in islice(self.queue, self._start, None):
            if subject not in self._stands and not passed(subject):
                return subject
        return next(iter(self.ledger.skipped(self.among)), None) if again else None

    def progress(self, passed: int = 0) -> Progress:
        """How far the reader is; `passed` subjects do not count."""
        counts, total = self._counts, len(self.queue) - passed
        left = seconds_left(self.ledger.times(WINDOW), total - counts.total())
        decided = counts.total() - counts["skip"]
        return Progress(total, counts["accept"], counts["reject"], decided, counts["skip"], left)

    def _catch_up(self) -> None:
        for act in acts_after(self.holding.store, self._kind, self._read):
            self.ledger.add(act)
            self._read = act.token
            self._settle(act.subject)

    def _settle(self, subject: str) -> None:
        if subject not in self.among:
            return
        before, now = self._stands.pop(subject, None), self.ledger.action(subject)
        if before is not None:
            self._counts[before] -= 1
        if now is not None:
            self._stands[subject] = now
            self._counts[now] += 1
        else:
            self._start = min(self._start, self._place[subject])

    def _written(self, token: str, action: str, subject: str = "") -> A | None:
        """The row with this token, None if there is none; raises ReviewError where it is another act's."""
        row = self.ledger.act(token) or self.holding.store.one(self._kind, token)
        if row is None:
            return None
        if (row.reviewer, row.action) != (self.reviewer, action) or subject not in ("", row.subject):
            raise ReviewError("This token stands for another act; reload the page and press the key again.")
        return row
