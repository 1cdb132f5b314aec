"""What the review page shows: plain records, blind until the decision."""

from dataclasses import dataclass
from typing import Literal

from poetune.records import Action


@dataclass(frozen=True, slots=True)
class Draft:
    """Edits of an act that was undone: where the reader goes on. None = as written."""

    title: str | None
    body: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A poem as it is shown before the decision: nothing tells which model or template wrote it, or its rank."""

    candidate: str
    title: str
    body: str
    theme: str
    language: str
    skipped: bool
    draft: Draft | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reader is. `seconds_left` is None until a pace is known."""

    total: int
    accepted: int
    rejected: int
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
    """All that the page shows: the poem (None = all read), the progress, and the act that an undo would cancel."""

    poem: Sheet | None
    progress: Progress
    last: Told | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`new` = a row was written; `repeated` = this token was written before; `taken` = the poem was decided already;

    `nothing` = there is no act to undo.
    """

    status: Literal["new", "repeated", "taken", "nothing"]
    view: View
