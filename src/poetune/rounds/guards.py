"""What a round does to the corpus: the share of own poems, twins, copied lines and diversity, with notes in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from poetune.records import Poem
from poetune.verse.diversity import distinct_at, windows
from poetune.verse.lines import units
from poetune.verse.overlap import LineIndex
from poetune.verse.twins import twins

MOST_OWN = 0.4
FELL = 0.9  # distinct-2 below this share of the earlier figure is said
FEWEST_WINDOWS = 50


@dataclass(frozen=True, slots=True)
class Twin:
    """An accepted poem and the one it resembles; `share` is the part of the shorter one's lines that agree."""

    poem: str
    other: str
    share: float


@dataclass(frozen=True, slots=True)
class Guards:
    """The figures of one round. Shares are 0 to 1; `distinct2` values are None where there is too little text.

    `own_share` is the part of all units (words, Han characters) that the model wrote, earlier rounds included.
    """

    poems: int
    accepted: int
    own_share: float
    twins: tuple[Twin, ...]
    copied_lines: int
    countable_lines: int
    copied_share: float
    distinct2_before: float | None
    distinct2: float | None
    notes: tuple[str, ...]

    def figures(self) -> dict[str, Any]:
        """Plain data for the round's row."""
        return asdict(self)


def guards(
    corpus: Sequence[Poem],
    accepted: Sequence[Poem],
    most_own: float = MOST_OWN,
    words: int = 4,
    characters: int = 5,
) -> Guards:
    """Look at `accepted` beside the corpus they join (poems of this round may stand in it already).

    A line counts as copied from `words` words or `characters` Han characters on; copies are sought in the original
    poems, twins among all.
    """
    new = {poem.id for poem in accepted}
    before = [poem for poem in corpus if poem.id not in new]
    originals = [poem for poem in before if poem.origin == "corpus"]
    sizes = {poem.id: len(units(poem.text)) for poem in [*before, *accepted]}
    own = sum(sizes[poem.id] for poem in [*before, *accepted] if poem.origin != "corpus")
    total = sum(sizes[poem.id] for poem in [*before, *accepted])

    index = LineIndex({poem.id: poem.text for poem in originals}, words, characters)
    copied = sum(len(index.copied(poem.text)) for poem in accepted)
    countable = sum(index.countable(poem.text) for poem in accepted)
    pairs = _twins(before, accepted)
    old, now = [poem.text for poem in before], [poem.text for poem in accepted]
    size = min(len(windows(old, 2)), len(windows(now, 2)))
    enough = size >= FEWEST_WINDOWS
    first = distinct_at(old, 2, size) if enough else None
    second = distinct_at(now, 2, size) if enough else None

    own_share = own / total if total else 0.0
    return Guards(
        poems=len(before),
        accepted=len(accepted),
        own_share=round(own_share, 4),
        twins=pairs,
        copied_lines=copied,
        countable_lines=countable,
        copied_share=round(copied / countable, 4) if countable else 0.0,
        distinct2_before=first,
        distinct2=second,
        notes=tuple(_notes(own_share, most_own, len(pairs), copied, countable, first, second)),
    )


def _twins(before: Sequence[Poem], accepted: Sequence[Poem]) -> tuple[Twin, ...]:
    poems = [*before, *accepted]
    found = twins([poem.text for poem in poems])
    return tuple(Twin(poems[j].id, poems[i].id, share) for i, j, share in found if j >= len(before))


def _notes(
    own: float, most: float, twin: int, copied: int, countable: int, first: float | None, second: float | None
) -> list[str]:
    notes = []
    if own > most:
        notes.append(
            f"The model's own poems are {own:.0%} of the corpus, over the {most:.0%} that keeps a voice from "
            "narrowing; accept fewer, or add poems by the poet."
        )
    if twin:
        noun = "poem is a near twin" if twin == 1 else "poems are near twins"
        notes.append(f"{twin} accepted {noun} of a poem that is already there; look whether they are worth keeping.")
    if copied:
        verb = "stands" if copied == 1 else "stand"
        notes.append(f"{copied} of {countable} accepted lines {verb} word for word in the original poems.")
    if first is not None and second is not None and second < FELL * first:
        notes.append(
            f"The accepted poems vary less than the corpus (distinct word pairs {second:.2f} after {first:.2f}); "
            "vary the themes before the next round."
        )
    return notes
