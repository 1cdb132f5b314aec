"""The guards of a round: its figures beside those of the start and of the corpus, and which of them refuse it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from poetune.rounds.copies import Copies
from poetune.verse.diversity import distinct_at, openings_at, spread, spread_within, windows

Guard = Literal["diversity", "loss", "copying"]
GUARDS: tuple[Guard, ...] = ("diversity", "loss", "copying")
FEWEST_WINDOWS = 50  # pairs of neighbouring units; below that distinct-2 is chance
FEWEST_POEMS = 10  # openings of fewer poems say nothing
OPENING = 3  # units of a poem's beginning that count as its opening
_Pair = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Piece:
    """A poem with the theme that it was asked for, "" for none."""

    theme: str
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of `of` beside that of `against`. `limit` is what `now` must not pass, None where nothing forbids.

    Figures that could not be measured are None and fail nothing.
    """

    guard: Guard
    name: str
    of: str
    against: str
    before: float | None
    now: float | None
    limit: float | None
    failed: bool

    def sentence(self) -> str:
        """The figure in words."""
        said = f"{self.name} of {self.of} {_shown(self.now)}, {_shown(self.before)} of {self.against}"
        return said + (f" (limit {_shown(self.limit)})" if self.limit is not None else "")


def diversity(
    now: Iterable[Piece], before: Iterable[Piece], of: str, against: str, least: float, *, themes: bool
) -> list[Figure]:
    """Distinct-2, mean pairwise distance and openings of two sets of poems, each at an equal amount of text.

    A figure fails below `least` times the earlier one; distances hardly move, so they may fall half as far. With
    `themes`, distances are taken within a theme, and only themes that both sets have count where there are such.
    """
    mine, theirs = list(now), list(before)
    shared = {piece.theme for piece in mine} & {piece.theme for piece in theirs}
    if themes and shared:
        mine, theirs = ([piece for piece in each if piece.theme in shared] for each in (mine, theirs))
    new, old = [piece.text for piece in mine], [piece.text for piece in theirs]
    kept = "mean distance on one theme" if themes else "mean distance"
    return [
        _least("distinct word pairs", of, against, _distinct(old, new), least),
        _least(kept, of, against, (_distance(theirs, themes), _distance(mine, themes)), (1 + least) / 2),
        _least("different openings", of, against, _opened(old, new), least),
    ]


def loss(before: float | None, now: float | None, of: str, against: str, rise: float) -> Figure:
    """Held-out loss on human poems, in bits a byte; it fails when it rises by more than the share `rise`."""
    limit = None if before is None else before * (1 + rise)
    failed = now is not None and limit is not None and now > limit
    return Figure("loss", "held-out loss (bits a byte)", of, against, before, now, limit, failed)


def copying(now: Copies, before: Copies, human: Copies, of: str, against: str, rise: float) -> list[Figure]:
    """Copied lines and 5-grams beside those of `before`, or of the poet's own held-out poems where these copy more.

    A share fails when it is higher by more than `rise` (0.02 = two points); a single copied line fails nothing.
    """
    found = []
    for name, mine, first, poet, failing in (
        ("copied lines", now.share, before.share, human.share, now.copied > 1),
        ("copied 5-grams", now.grams, before.grams, human.grams, True),
    ):
        earlier = max((each for each in (first, poet) if each is not None), default=None)
        limit = None if earlier is None else earlier + rise
        failed = failing and mine is not None and limit is not None and mine > limit
        found.append(Figure("copying", name, of, against, earlier, mine, limit, failed))
    return found


def twins(found: Mapping[str, str]) -> Figure:
    """Accepted poems that are near twins of an original, by id; any fails."""
    count = float(len(found))
    return Figure("copying", "near twins", "the accepted poems", "the corpus", 0.0, count, 0.0, count > 0)


def refused(figures: Sequence[Figure], accepted: Iterable[str]) -> list[Figure]:
    """The figures that failed and whose guard nobody accepted."""
    let = set(accepted)
    return [figure for figure in figures if figure.failed and figure.guard not in let]


def _least(name: str, of: str, against: str, pair: _Pair, least: float) -> Figure:
    before, now = pair
    limit = None if before is None else before * least
    failed = now is not None and limit is not None and now < limit
    return Figure("diversity", name, of, against, before, now, limit, failed)


def _distinct(old: Sequence[str], new: Sequence[str]) -> _Pair:
    size = min(len(windows(old, 2)), len(windows(new, 2)))
    return (distinct_at(old, 2, size), distinct_at(new, 2, size)) if size >= FEWEST_WINDOWS else (None, None)


def _opened(old: Sequence[str], new: Sequence[str]) -> _Pair:
    size = min(len(old), len(new))
    return (openings_at(old, size, OPENING), openings_at(new, size, OPENING)) if size >= FEWEST_POEMS else (None, None)


def _distance(pieces: Sequence[Piece], themes: bool) -> float | None:
    if not themes:
        return spread(piece.text for piece in pieces)
    groups: dict[str, list[str]] = {}
    for piece in pieces:
        groups.setdefault(piece.theme, []).append(piece.text)
    return spread_within(groups)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if value == int(value) else f"{value:.3f}"
