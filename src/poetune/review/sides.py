"""Two poems of the same prompt, by two models, on sides that tell nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.records import Candidate, digest


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates as they are shown."""

    left: str
    right: str

    @property
    def subject(self) -> str:
        """As `Vote.subject`."""
        return "+".join(sorted((self.left, self.right)))


def pairs(one: Sequence[Candidate], other: Sequence[Candidate], reviewer: str = "", seed: int = 0) -> tuple[Pair, ...]:
    """Poems of equal prompt, sampling and seed, shuffled; each model stands on the left as often as on the right.

    Order and sides hang on `seed`, `reviewer` and the ids. Pairs with an empty poem, or the same text twice, are left
    out: there is nothing to choose.
    """
    partner = {(c.prompt, c.sampling, c.seed): c for c in other}
    found = [(c, partner[c.prompt, c.sampling, c.seed]) for c in one if (c.prompt, c.sampling, c.seed) in partner]
    worth = [(a, b) for a, b in found if a.text.strip() and b.text.strip() and a.text.strip() != b.text.strip()]
    worth.sort(key=lambda pair: digest("pair", seed, reviewer, pair[0].id, pair[1].id))
    sides = sorted(range(len(worth)), key=lambda n: digest("side", seed, reviewer, worth[n][0].id, worth[n][1].id))
    flipped = set(sides[::2])
    return tuple(Pair(b.id, a.id) if n in flipped else Pair(a.id, b.id) for n, (a, b) in enumerate(worth))
