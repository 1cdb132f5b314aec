"""Where verse turns into prose: how far into a poem its lines grow longer than the poet's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from poetune.verse.lines import lines, units
from poetune.verse.shares import wilson

STRETCH = 10


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words (characters) `start` to `start + STRETCH` of the poems that come so far: `prose` of `poems` are prose."""

    start: int
    poems: int
    prose: int

    @property
    def share(self) -> float:
        """Prose over poems."""
        return self.prose / self.poems if self.poems else 0.0


def prosaic(text: str, longest: int) -> list[bool]:
    """For each stretch of STRETCH units, whether most of it stands in printed lines of more than `longest` units."""
    marks = [length > longest for length in (len(units(line)) for line in lines(text)) for _ in range(length)]
    return [
        2 * sum(marks[i : i + STRETCH]) > len(marks[i : i + STRETCH])
        for i in range(0, len(marks), STRETCH)
        if len(marks) - i >= STRETCH // 2
    ]


def course(texts: Iterable[str], longest: int, fewest: int = 5) -> tuple[Stretch, ...]:
    """Share of prose by how far the poems have come, as far as `fewest` of them reach."""
    found = [prosaic(text, longest) for text in texts]
    out = []
    for i in range(max(map(len, found), default=0)):
        here = [marks[i] for marks in found if len(marks) > i]
        if len(here) < fewest:
            break
        out.append(Stretch(i * STRETCH, len(here), sum(here)))
    return tuple(out)


def turn(found: Sequence[Stretch], usual: float) -> int | None:
    """Where prose comes to be surely commoner than `usual`, for good; None where it does not.

    From there on every stretch has a higher share, and all together have one by the lower end of its interval.
    """
    at = len(found)
    while at and found[at - 1].share > usual:
        at -= 1
    rest = found[at:]
    interval = wilson(sum(s.prose for s in rest), sum(s.poems for s in rest))
    return rest[0].start if interval and interval[0] > usual else None
