"""What was decided: acts and undos, in the order in which they came, folded into the present state."""

from collections.abc import Container, Iterable
from itertools import islice
from typing import Generic, Protocol, TypeVar

from poetune.records import Review, Vote


class Act(Protocol):
    """A review or a vote: an `action` on a `subject`, or an undo of the act whose token is in `cancels`."""

    @property
    def token(self) -> str:
        """The act's own name."""

    @property
    def subject(self) -> str:
        """What it is on."""

    @property
    def action(self) -> str:
        """What was done."""

    @property
    def reviewer(self) -> str:
        """By whom."""

    @property
    def cancels(self) -> str:
        """The token of the act that an undo cancels."""

    @property
    def at(self) -> str:
        """When, in ISO 8601."""


A = TypeVar("A", bound=Act)


class Ledger(Generic[A]):
    """Folds acts one by one; with a `reviewer`, only theirs (None = everybody's, the latest act on a subject holds).

    An undo cancels the act whose token it names, once and for good: it is no act itself and cannot be undone. The same
    token twice is one act. A reviewer cancels only their own acts.
    """

    def __init__(self, reviewer: str | None = None) -> None:
        self._reviewer = reviewer
        self._seen: dict[str, A] = {}
        self._live: dict[str, A] = {}  # token -> act, oldest first; dicts keep order and forget in one step
        self._of: dict[str, dict[str, A]] = {}
        self._undone: dict[str, A] = {}

    def add(self, act: A) -> None:
        """Take in the next act."""
        if act.token in self._seen or (self._reviewer is not None and act.reviewer != self._reviewer):
            return
        self._seen[act.token] = act
        if act.action == "undo":
            target = self._live.get(act.cancels)
            if target is not None and target.reviewer == act.reviewer:
                del self._live[target.token]
                del self._of[target.subject][target.token]
                self._undone[target.subject] = target
        else:
            self._live[act.token] = act
            self._of.setdefault(act.subject, {})[act.token] = act
            self._undone.pop(act.subject, None)

    def act(self, token: str) -> A | None:
        """The act or undo with this token, cancelled or not."""
        return self._seen.get(token)

    def held(self, subject: str) -> A | None:
        """The latest act on a subject that was not undone."""
        acts = self._of.get(subject)
        return next(reversed(acts.values())) if acts else None

    def action(self, subject: str) -> str | None:
        """Only what was done with a subject."""
        act = self.held(subject)
        return act.action if act is not None else None

    def undone(self, subject: str) -> A | None:
        """The act on this subject that was undone last, if none followed: its edits are where the reader goes on."""
        return self._undone.get(subject)

    def last(self, among: Container[str]) -> A | None:
        """The latest act that can be undone, on a subject `among` these."""
        return next((act for act in reversed(self._live.values()) if act.subject in among), None)

    def skipped(self, among: Container[str]) -> list[str]:
        """Subjects whose decision is a skip, the one skipped longest ago first."""
        latest = {act.subject: act.token for act in self._live.values() if act.subject in among}
        return [a.subject for a in self._live.values() if a.action == "skip" and latest.get(a.subject) == a.token]

    def times(self, latest: int) -> list[str]:
        """When the `latest` acts that hold were done, oldest first."""
        return [act.at for act in islice(reversed(self._live.values()), latest)][::-1]

    def standing(self) -> dict[str, A]:
        """The act that holds for each subject that has one."""
        return {subject: next(reversed(acts.values())) for subject, acts in self._of.items() if acts}


def decisions(reviews: Iterable[Review], reviewer: str | None = None) -> dict[str, Review]:
    """What holds for each candidate after all undos: accept, reject or skip; silent repeats decide nothing."""
    ledger: Ledger[Review] = Ledger(reviewer)
    for review in reviews:
        ledger.add(review)
    return {act.candidate: act for act in ledger.standing().values() if act.drawn != "repeat"}


def everyones(reviews: Iterable[Review]) -> dict[str, list[Review]]:
    """Each candidate's decisions that hold, one a reviewer, repeats left out."""
    found: dict[str, list[Review]] = {}
    rows = list(reviews)
    for who in dict.fromkeys(row.reviewer for row in rows):
        for candidate, act in decisions(rows, who).items():
            found.setdefault(candidate, []).append(act)
    return found


def votes(rows: Iterable[Vote]) -> list[Vote]:
    """The votes that hold, one a pair and reviewer, without skips: left, right or tie."""
    rows = list(rows)
    found: list[Vote] = []
    for who in dict.fromkeys(row.reviewer for row in rows):
        ledger: Ledger[Vote] = Ledger(who)
        for row in rows:
            ledger.add(row)
        found += [act for act in ledger.standing().values() if act.action != "skip"]
    return found
