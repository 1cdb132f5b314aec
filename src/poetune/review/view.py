"""What the review page shows: plain records, blind until the decision."""

from dataclasses import dataclass, field
from typing import Literal

from poetune.records import Action
from poetune.review.marks import Piece

Status = Literal["new", "repeated", "taken", "nothing"]


@dataclass(frozen=True, slots=True)
class Draft:
    """Edits of an act that was undone: where the reader goes on. None = as written."""

    title: str | None
    body: str | None
    note: str
    reasons: tuple[str, ...] = ()
    scores: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Copies:
    """The poem's lines in pieces, of which some are copied, and where from: titles and authors of the corpus."""

    lines: tuple[tuple[Piece, ...], ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A poem as it is shown before the decision: nothing tells which model or template wrote it, or its rank.

    `item` names the slot of the queue: a poem and its silent repeat look alike.
    """

    item: str
    title: str
    body: str
    theme: str
    language: str
    skipped: bool
    copies: Copies | None
    draft: Draft | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reader is; `decided` leaves skips out. `seconds_left` is None until a pace is known."""

    total: int
    accepted: int
    rejected: int
    decided: int
    skipped: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """The latest act, with what was hidden until then: which model and template wrote the poem."""

    action: Action
    title: str
    model: str
    template: str
    edited: bool


@dataclass(frozen=True, slots=True)
class View:
    """All that the page shows: the poem (None = all read), the progress, and the act that an undo would cancel.

    `steady` is (same, of) for silent repeats, once all is read.
    """

    poem: Sheet | None
    progress: Progress
    last: Told | None
    steady: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`new` = a row was written; `repeated` = this token was written before; `taken` = the poem was decided already;

    `nothing` = there is no act to undo.
    """

    status: Status
    view: View


@dataclass(frozen=True, slots=True)
class Verse:
    """One of two poems, without its model."""

    candidate: str
    title: str
    body: str
    language: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two poems of one prompt on hidden sides."""

    item: str
    theme: str
    left: Verse
    right: Verse
    skipped: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The latest vote, with the models that were hidden until then."""

    action: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Face:
    """All that the A/B page shows: the pair (None = all read), the progress, and the vote that an undo would cancel."""

    pair: Pairing | None
    progress: Progress
    last: Chosen | None


@dataclass(frozen=True, slots=True)
class Voted:
    """As `Outcome`, for a vote."""

    status: Status
    view: Face
