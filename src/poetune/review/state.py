"""What was decided: acts and undos, in the order in which they came, folded into the present state."""

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from itertools import islice

from poetune.records import Action, Review


@dataclass(frozen=True, slots=True)
class Decision:
    """What holds for a candidate. `title` and `body` are None where they were left as written."""

    action: Action
    title: str | None
    body: str | None
    note: str
    token: str


class Ledger:
    """Folds acts one by one; with a `reviewer`, only theirs (None = everybody's, the latest act on a poem holds).

    An undo cancels the act whose token it names, once and for good: it is no act itself and cannot be undone. The same
    token twice is one act. A reviewer cancels only their own acts.
    """

    def __init__(self, reviewer: str | None = None) -> None:
        self._reviewer = reviewer
        self._seen: dict[str, Review] = {}
        self._live: dict[str, Review] = {}  # token -> act, oldest first; dicts keep order and forget in one step
        self._of: dict[str, dict[str, Review]] = {}
        self._undone: dict[str, Review] = {}

    def add(self, act: Review) -> None:
        """Take in the next act."""
        if act.token in self._seen or (self._reviewer is not None and act.reviewer != self._reviewer):
            return
        self._seen[act.token] = act
        if act.action == "undo":
            target = self._live.get(act.cancels)
            if target is not None and target.reviewer == act.reviewer:
                del self._live[target.token]
                del self._of[target.candidate][target.token]
                self._undone[target.candidate] = target
        else:
            self._live[act.token] = act
            self._of.setdefault(act.candidate, {})[act.token] = act
            self._undone.pop(act.candidate, None)

    def act(self, token: str) -> Review | None:
        """The act or undo with this token, cancelled or not."""
        return self._seen.get(token)

    def action(self, candidate: str) -> Action | None:
        """Only what was done with a candidate: queues of thousands are searched for one that is None."""
        acts = self._of.get(candidate)
        return next(reversed(acts.values())).action if acts else None

    def decision(self, candidate: str) -> Decision | None:
        """The latest act on a candidate that was not undone."""
        acts = self._of.get(candidate)
        return _decision(next(reversed(acts.values()))) if acts else None

    def undone(self, candidate: str) -> Decision | None:
        """The act on this candidate that was undone last, if none followed: its edits are where the reader goes on."""
        act = self._undone.get(candidate)
        return _decision(act) if act else None

    def last(self, among: Container[str]) -> Review | None:
        """The latest act that can be undone, on a candidate `among` these."""
        return next((act for act in reversed(self._live.values()) if act.candidate in among), None)

    def skipped(self, among: Container[str]) -> list[str]:
        """Candidates whose decision is a skip, the one skipped longest ago first."""
        latest = {act.candidate: act.token for act in self._live.values() if act.candidate in among}
        return [a.candidate for a in self._live.values() if a.action == "skip" and latest.get(a.candidate) == a.token]

    def counts(self, among: Iterable[str]) -> Counter[str]:
        """How many of these candidates stand at each action; undecided ones are not counted."""
        return Counter(action for action in map(self.action, among) if action is not None)

    def times(self, latest: int) -> list[str]:
        """When the `latest` acts that hold were done, oldest first."""
        return [act.at for act in islice(reversed(self._live.values()), latest)][::-1]

    def decisions(self) -> dict[str, Decision]:
        """The decision of each candidate that has one."""
        return {c: _decision(next(reversed(acts.values()))) for c, acts in self._of.items() if acts}


def decisions(reviews: Iterable[Review], reviewer: str | None = None) -> dict[str, Decision]:
    """What holds for each candidate after all undos: accept, reject or skip."""
    ledger = Ledger(reviewer)
    for review in reviews:
        ledger.add(review)
    return ledger.decisions()


def _decision(act: Review) -> Decision:
    return Decision(act.action, act.title, act.body, act.note, act.token)
