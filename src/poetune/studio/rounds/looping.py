"""The loop: train, write, rank, wait for the reader, close. Each part resumes by itself, and so does the loop."""

from collections.abc import Collection
from dataclasses import dataclass

from poetune.errors import ReviewError
from poetune.studio import finetune, generate, judge
from poetune.studio.house import Studio
from poetune.studio.review import Reviewed, reviewed
from poetune.studio.rounds.closing import Closed, close

FROM, UNTIL = "loop:from", "loop:until"  # facts: the first and the last round of the loop under way
ENDED = "loop:ended"  # fact: the last round of the loop whose end was told


@dataclass(frozen=True, slots=True)
class Looped:
    """Where the loop stands: the open round, the last one that it is to close, what was closed now, and whether it
    waits for a reader; else it is at its end.
    """

    round: int
    until: int
    waits: bool
    poems: int
    read: Reviewed
    closed: list[Closed]


def run(studio: Studio, count: int | None = None, accept_guards: Collection[str] = ()) -> Looped:
    """Go on until the reader is needed or `count` rounds were closed; called again, it goes on from there.

    A loop under way keeps its end unless `count` names another, counted from where it began. Where the reader was
    asked and has accepted something, the round is closed. Raises ReviewError where a guard refuses.
    """
    until = _until(studio, count)
    closed: list[Closed] = []
    while studio.round.number <= until:
        number = studio.round.number
        written = _written(studio)
        asked = f"loop:asked:{number}"
        if written:  # nobody has seen these
            studio.store.remember(asked, "")
        if not studio.store.fact(asked) or not reviewed(studio).accepted:
            studio.store.remember(asked, "1")
            return _standing(studio, until, closed, waits=True)
        closed.append(close(studio, accept_guards))
        studio.say(f"round {number} closed with {closed[-1].accepted} accepted poems.")
    studio.store.remember(ENDED, str(until))
    return _standing(studio, until, closed, waits=False)


def _until(studio: Studio, count: int | None) -> int:
    number, store = studio.round.number, studio.store
    begun, until = int(store.fact(FROM) or 0), int(store.fact(UNTIL) or 0)
    if until < number:
        untold = until and store.fact(ENDED) != str(until)  # cut off after its last round was closed
        if untold and (count is None or begun + count - 1 < number):
            return until
        if not untold:  # none is under way
            begun, until = number, number
    if count is not None:
        until = begun + count - 1
        if until < number:
            raise ReviewError(
                f"the loop began with round {begun}, and round {number} is open, so --count {count} is over; give a "
                "larger one."
            )
    with store.transaction():
        store.remember(FROM, str(begun))
        store.remember(UNTIL, str(until))
    return until


def _written(studio: Studio) -> int:
    """Train, write and rank what is missing in the open round; how many poems were new."""
    finetune.train(studio)
    filled = generate.fill(studio)
    judge.rank(studio)
    return filled.written


def _standing(studio: Studio, until: int, closed: list[Closed], *, waits: bool) -> Looped:
    read = reviewed(studio)
    return Looped(studio.round.number, until, waits, read.poems, read, closed)
