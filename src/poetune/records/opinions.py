"""What judges and readers said: verdicts, paid calls, decisions, votes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["accept", "reject", "skip", "undo"]
Choice = Literal["left", "right", "tie", "skip", "undo"]
Drawn = Literal["", "best", "explore", "repeat"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judge call. `shown` is the order in which poems were shown, `ranking` best first; empty when `invalid`."""

    id: str
    contest: str
    judge: str
    rubric: str
    shown: tuple[str, ...]
    ranking: tuple[str, ...]
    status: Literal["ok", "invalid"]
    raw: str = ""
    reason: str = ""
    stage: str = ""
    round: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """One request that may cost: kept before it is sent, at the most it can take, and settled by what it took.

    `lost` ones were sent and not answered, so they count at their most; `failed` ones were not taken and cost nothing.
    """

    id: str
    contest: str
    model: str
    state: Literal["reserved", "answered", "lost", "failed"]
    prompt_tokens: int
    completion_tokens: int
    money: float = 0.0


@dataclass(frozen=True, slots=True)
class Review:
    """One act of a reader. Rows are only ever added; `undo` cancels the act whose `token` is in `cancels`.

    `drawn` says why the poem was shown; a `repeat` tells how steady the reader is and never replaces the decision.
    `scores` are 1 to 5 on the criteria of `rubric`.
    """

    token: str
    candidate: str
    action: Action
    reviewer: str = ""
    title: str | None = None
    body: str | None = None
    note: str = ""
    cancels: str = ""
    at: str = ""
    reasons: tuple[str, ...] = ()
    rubric: str = ""
    scores: Mapping[str, int] = field(default_factory=dict)
    drawn: Drawn = ""

    @property
    def subject(self) -> str:
        """What the act is on: a candidate's first reading, or its silent repeat."""
        return self.candidate + ("~repeat" if self.drawn == "repeat" else "")


@dataclass(frozen=True, slots=True)
class Vote:
    """One blind choice between two candidates of the same prompt; rows are only ever added.

    `left` and `right` are as they were shown, so that a liking for one side can be measured; `undo` cancels the vote
    whose `token` is in `cancels`.
    """

    token: str
    left: str
    right: str
    action: Choice
    reviewer: str = ""
    note: str = ""
    cancels: str = ""
    at: str = ""

    @property
    def subject(self) -> str:
        """The pair, whichever side its poems stood on."""
        return "+".join(sorted((self.left, self.right)))
