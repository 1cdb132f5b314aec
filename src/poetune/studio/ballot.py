"""A reviewer before pairs of poems: which of two is better, without knowing who wrote which."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from poetune.errors import ReviewError
from poetune.records import Candidate, Model, Prompt, Vote
from poetune.review import edit
from poetune.review.rates import name_of
from poetune.review.sides import Pair
from poetune.review.view import Chosen, Face, Pairing, Progress, Verse, Voted
from poetune.studio.sitting import Sitting, utc
from poetune.verse.lines import language


class Ballots:
    """One reviewer before one queue of pairs. Safe for several threads, tabs and processes.

    Raises ReviewError where there are no pairs, or for a name with markup.
    """

    def __init__(
        self, store_path: Path, pairs: Sequence[Pair], reviewer: str = "", clock: Callable[[], datetime] = utc
    ) -> None:
        self.reviewer = edit.reviewer(reviewer)
        self._pairs = {pair.subject: pair for pair in pairs}
        if not self._pairs:
            raise ReviewError(
                "There is no pair to vote on: the two models share no prompt and seed, or wrote the same; "
                "write with both by `poetune generate`, or name two others."
            )
        self._sitting: Sitting[Vote] = Sitting(Vote, store_path, list(self._pairs), self.reviewer, clock)

    def close(self) -> None:
        """Close the database."""
        self._sitting.close()

    def current(self, again: bool = False) -> Face:
        """What to show: the first undecided pair, or with `again`, when none is left, the one skipped longest ago."""
        with self._sitting.open():
            return self._face(self._sitting.next(again))

    def progress(self) -> Progress:
        """How far the reader is."""
        with self._sitting.open():
            return self._sitting.progress()

    def vote(
        self,
        token: str,
        item: str,
        action: Literal["left", "right", "tie", "skip"],
        note: str = "",
        again: bool = False,
    ) -> Voted:
        """Record a vote; it is on disk on return. Raises ReviewError for an unknown pair or another act's token."""
        with self._sitting.open():
            pair = self._pairs.get(item)
            if pair is None:
                raise ReviewError("This pair is not in the queue; reload the page.")
            at = self._sitting.now()
            status = self._sitting.record(
                Vote(token, pair.left, pair.right, action, self.reviewer, edit.note(note), at=at)
            )
            return Voted(status, self._face(self._sitting.next(again)))

    def undo(self, token: str, again: bool = False) -> Voted:
        """Cancel this reviewer's latest vote that holds, and show its pair again."""
        with self._sitting.open():
            status, opened = self._sitting.cancel(
                token, lambda target, fields: Vote(left=target.left, right=target.right, **fields)
            )
            return Voted(status, self._face(opened or self._sitting.next(again)))

    # below, the sitting is held --------------------------------------------------------------------------------------

    def _face(self, subject: str | None) -> Face:
        return Face(self._pairing(subject) if subject else None, self._sitting.progress(), self._chosen())

    def _pairing(self, subject: str) -> Pairing:
        pair, store = self._pairs[subject], self._sitting.holding.store
        left, right = self._candidate(pair.left), self._candidate(pair.right)
        prompt = store.one(Prompt, left.prompt)
        held = self._sitting.ledger.held(subject)
        return Pairing(
            subject,
            (prompt.theme or prompt.opening) if prompt else "",
            _verse(left),
            _verse(right),
            held is not None and held.action == "skip",
        )

    def _chosen(self) -> Chosen | None:
        act = self._sitting.ledger.last(self._sitting.among)
        if act is None:
            return None
        if act.action == "skip":  # still to be read blind
            return Chosen(act.action, "", "")
        return Chosen(act.action, self._writer(act.left), self._writer(act.right))

    def _writer(self, candidate: str) -> str:
        model = self._sitting.holding.store.one(Model, self._candidate(candidate).model)
        return name_of(model) if model else ""

    def _candidate(self, identifier: str) -> Candidate:
        found = self._sitting.holding.store.one(Candidate, identifier)
        if found is None:
            raise ReviewError("A poem of this pair is gone from the project; run `poetune review` again.")
        return found


def _verse(candidate: Candidate) -> Verse:
    return Verse(candidate.id, candidate.title, candidate.text, language(candidate.text) or language(candidate.title))
