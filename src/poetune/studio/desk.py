"""A reviewer's desk: the poem that lies on it, and decisions that are on disk before the next one is shown."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Literal

from poetune.errors import ReviewError, StoreError
from poetune.records import Action, Candidate, Model, Prompt, Review
from poetune.review import Ledger, Line, difference, edit, seconds_left
from poetune.review.pace import WINDOW
from poetune.review.view import Draft, Outcome, Progress, Sheet, Told, View
from poetune.store import Store
from poetune.store.queries import reviews_after
from poetune.verse.lines import language


class Desk:
    """One reviewer before one queue of candidate ids, best first; decided ones stay in the queue, so that an undo
    reaches them. Safe for several threads, tabs and processes. Raises ReviewError for an empty queue.
    """

    def __init__(
        self,
        store_path: Path,
        queue: Sequence[str],
        reviewer: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.reviewer = reviewer
        self._queue = tuple(dict.fromkeys(queue))
        if not self._queue:
            raise ReviewError("There is no poem to review yet; run `poetune generate` first.")
        self._among = frozenset(self._queue)
        self._clock = clock
        self._lock = Lock()
        self._ledger = Ledger(reviewer)
        self._read = ""  # token of the last review row taken in
        self._path = store_path
        self._store = Store(store_path)
        missing = self._among - self._store.ids(Candidate)
        if missing:
            self._store.close()
            raise StoreError(
                f"{len(missing)} poems of the queue are not in {store_path}; "
                "run `poetune review` again for a new queue."
            )
        self._opened = _identity(store_path)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._store.close()

    def current(self, again: bool = False) -> View:
        """What to show: the first undecided poem, or with `again`, when none is left, the one skipped longest ago."""
        with self._open():
            return self._view(self._next(again))

    def progress(self) -> Progress:
        """How far the reader is."""
        with self._open():
            return self._progress()

    def changes(self, candidate: str, body: str) -> list[Line]:
        """What an edit of the body changes; nothing is kept."""
        with self._open():
            written = self._candidate(candidate)
        return difference(written.text, edit.body(body, written) or written.text)

    def decide(
        self,
        token: str,
        candidate: str,
        action: Literal["accept", "reject", "skip"],
        title: str | None = None,
        body: str | None = None,
        note: str = "",
        again: bool = False,
    ) -> Outcome:
        """Record a decision; it is on disk on return. A skipped poem can be decided later, another only after an undo.

        Raises ReviewError for an unknown candidate, an empty or overlong edit, or a token that stands for another act.
        """
        with self._open():
            written = self._candidate(candidate)
            act = Review(
                token,
                candidate,
                action,
                self.reviewer,
                edit.title(title, written),
                edit.body(body, written),
                edit.note(note),
                at=self._now(),
            )
            with self._store.transaction():  # another tab or process cannot come between the look and the row
                self._catch_up()
                status: Literal["new", "repeated", "taken"] = "new"
                if self._written(token, action, candidate):
                    status = "repeated"
                elif self._ledger.action(candidate) not in (None, "skip"):
                    status = "taken"
                else:
                    self._store.add([act])
            self._catch_up()
            return Outcome(status, self._view(self._next(again)))

    def undo(self, token: str, again: bool = False) -> Outcome:
        """Cancel this reviewer's latest act that holds, also one of an earlier day, and show its poem again."""
        with self._open():
            status: Literal["new", "repeated", "nothing"] = "repeated"
            with self._store.transaction():
                self._catch_up()
                undone = self._written(token, "undo")
                if undone is None and (target := self._ledger.last(self._among)) is not None:
                    status = "new"
                    undone = Review(
                        token, target.candidate, "undo", self.reviewer, cancels=target.token, at=self._now()
                    )
                    self._store.add([undone])
            self._catch_up()
            if undone is None:
                return Outcome("nothing", self._view(self._next(again)))
            open_again = self._ledger.action(undone.candidate) in (None, "skip")
            return Outcome(status, self._view(undone.candidate if open_again else self._next(again)))

    # below, the lock is held -----------------------------------------------------------------------------------------

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if _identity(self._path) != self._opened:
                raise StoreError(
                    f"{self._path} was moved or replaced while the page was open; "
                    "put it back, or run `poetune review` in the project's new folder."
                )
            try:
                self._catch_up()
                yield
            except sqlite3.Error as error:
                raise StoreError(
                    f"{self._path} cannot be read or written just now ({error}); "
                    "end what else uses it, see that the disk has room, and press the key again."
                ) from error

    def _catch_up(self) -> None:
        for row in reviews_after(self._store, self._read):
            self._ledger.add(row)
            self._read = row.token

    def _written(self, token: str, action: Action, candidate: str = "") -> Review | None:
        """The row with this token, None if there is none; raises ReviewError where it is another act's."""
        row = self._ledger.act(token) or self._store.one(Review, token)
        if row is None:
            return None
        if (row.reviewer, row.action) != (self.reviewer, action) or candidate not in ("", row.candidate):
            raise ReviewError("This token stands for another act; reload the page and press the key again.")
        return row

    def _next(self, again: bool) -> str | None:
        for candidate in self._queue:
            if self._ledger.action(candidate) is None:
                return candidate
        return next(iter(self._ledger.skipped(self._among)), None) if again else None

    def _view(self, candidate: str | None) -> View:
        return View(self._sheet(candidate) if candidate else None, self._progress(), self._told())

    def _sheet(self, identifier: str) -> Sheet:
        candidate = self._candidate(identifier)
        held = self._ledger.decision(identifier)
        begun = self._ledger.undone(identifier) or held
        prompt = self._store.one(Prompt, candidate.prompt)
        return Sheet(
            candidate.id,
            candidate.title,
            candidate.text,
            prompt.theme if prompt else "",
            language(candidate.text) or language(candidate.title),
            held is not None and held.action == "skip",
            Draft(begun.title, begun.body, begun.note) if begun else None,
        )

    def _progress(self) -> Progress:
        counts = self._ledger.counts(self._queue)
        remaining = len(self._queue) - counts.total()
        left = seconds_left(self._ledger.times(WINDOW), remaining)
        return Progress(len(self._queue), counts["accept"], counts["reject"], counts["skip"], left)

    def _told(self) -> Told | None:
        act = self._ledger.last(self._among)
        if act is None:
            return None
        candidate = self._candidate(act.candidate)
        model = self._store.one(Model, candidate.model)
        prompt = self._store.one(Prompt, candidate.prompt)
        title = candidate.title if act.title is None else act.title
        edited = act.title is not None or act.body is not None
        if act.action == "skip" or model is None or prompt is None:  # a skipped poem is still to be read blind
            return Told(act.action, title, "", "", edited)
        name = model.name or f"{model.kind} {model.step or ''}".rstrip()
        return Told(act.action, title, name, prompt.template, edited)

    def _candidate(self, identifier: str) -> Candidate:
        found = self._store.one(Candidate, identifier) if identifier in self._among else None
        if found is None:
            raise ReviewError("This poem is not in the queue; reload the page.")
        return found

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
