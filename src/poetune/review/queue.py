"""Which poems a person is shown, in which order, and which of them silently again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from poetune.records import Candidate, Drawn, digest

BLOCK = 20  # slots: 3 are drawn past the judge (15 %), 1 repeats a poem that was decided (5 %)
EXPLORED = 3
GAP = 10  # slots between a poem and its repeat, so that the second reading is not a memory of the first


@dataclass(frozen=True, slots=True)
class Item:
    """One slot of the queue: a candidate, and why it stands there."""

    candidate: str
    drawn: Drawn = "best"

    @property
    def subject(self) -> str:
        """As `Review.subject`: the first reading of a poem, or its repeat."""
        return self.candidate + ("~repeat" if self.drawn == "repeat" else "")


def queue(
    candidates: Sequence[Candidate], order: Iterable[str] = (), limit: int = 0, seed: int = 0
) -> tuple[Item, ...]:
    """The judge's best (`order`, best first), in each 20 slots 3 poems drawn from all others and 1 repeat.

    What no judge ranked is drawn. Draws hang on `seed` and the id alone, so they tell nothing of model or template.
    Empty poems, failed ones and repeats of a text are left out; `limit` counts slots, 0 = all.
    """
    lot = sorted(candidates, key=lambda c: digest("queue", seed, c.id))
    ranks = {candidate: rank for rank, candidate in enumerate(dict.fromkeys(order))}
    distinct = _distinct(sorted(lot, key=lambda c: ranks.get(c.id, len(ranks))))
    best = iter([i for i in ranks if i in distinct])
    drawn = iter([c.id for c in lot if c.id in distinct])
    shown: list[Item] = []
    placed: set[str] = set()
    repeated: set[str] = set()
    for kind in _kinds(seed):
        if len(placed) == len(distinct) or (limit and len(shown) == limit):
            break
        again = _again(shown, repeated, seed) if kind == "repeat" else None
        if again is not None:
            repeated.add(again)
            shown.append(Item(again, "repeat"))
            continue
        pick = next((i for i in best if i not in placed), None) if kind != "explore" else None
        shown.append(Item(pick) if pick else Item(next(i for i in drawn if i not in placed), "explore"))
        placed.add(shown[-1].candidate)
    return tuple(shown)


def _distinct(candidates: Sequence[Candidate]) -> set[str]:
    """One id a text: the first of those that share it."""
    texts: dict[str, str] = {}
    for candidate in candidates:
        text = candidate.text.strip()
        if text and candidate.stop != "error":
            texts.setdefault(text, candidate.id)
    return set(texts.values())


def _kinds(seed: int) -> Iterator[Drawn]:
    number = 0
    while True:
        places = sorted(range(BLOCK), key=lambda place: digest("slot", seed, number, place))
        for place in range(BLOCK):
            rank = places.index(place)
            yield "explore" if rank < EXPLORED else "repeat" if rank == EXPLORED else "best"
        number += 1


def _again(shown: Sequence[Item], repeated: set[str], seed: int) -> str | None:
    early = [item.candidate for item in shown[: max(0, len(shown) - GAP)] if item.drawn != "repeat"]
    free = [i for i in early if i not in repeated]
    return min(free, key=lambda i: digest("repeat", seed, i), default=None)
