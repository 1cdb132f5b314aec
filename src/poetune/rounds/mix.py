"""The mix of a round's data set: every original, and of the model's own poems no more tokens than a share allows."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from poetune.records import Example, digest


@dataclass(frozen=True, slots=True)
class Mixed:
    """The rows that stay, in their order. Shares are of the tokens to be learned in training rows.

    `weights` says of each own poem which share of its rows is trained on; `offered` is the share that all own rows
    would have, `own_share` the one that they have.
    """

    rows: tuple[Example, ...]
    weights: Mapping[str, float]
    offered: float
    own_share: float


def mix(
    rows: Sequence[Example], own: Collection[str], tokens: Mapping[str, int], most: float, weight: float = 1.0
) -> Mixed:
    """Leave out own rows until they are at most the share `most` of the tokens, and `weight` of what was offered.

    `own` are the ids of poems that a model wrote, `tokens` sizes by poem id. Each own poem keeps one row before any
    keeps a second; which rows go hangs on their hashes alone.
    """
    learned = [row for row in rows if row.split == "train"]
    mine = [row for row in learned if row.poem in own]
    theirs = sum(tokens[row.poem] for row in learned if row.poem not in own)
    offered = sum(tokens[row.poem] for row in mine)
    room = offered * weight
    if most < 1:
        room = min(room, theirs * most / (1 - most))
    seen: Counter[str] = Counter()
    ranked = []
    for row in sorted(mine, key=lambda row: digest("mix", row.id)):
        seen[row.poem] += 1
        ranked.append((seen[row.poem], row))
    taken, kept = 0, set()
    for _, row in sorted(ranked, key=lambda each: each[0]):
        if taken + tokens[row.poem] <= room + 1e-9:
            taken += tokens[row.poem]
            kept.add(row.id)
    stay = Counter(row.poem for row in mine if row.id in kept)
    drawn = set(own)
    return Mixed(
        tuple(row for row in rows if row.split != "train" or row.poem not in drawn or row.id in kept),
        {poem: round(stay[poem] / count, 4) for poem, count in seen.items()},
        offered / (offered + theirs) if offered else 0.0,
        taken / (taken + theirs) if taken else 0.0,
    )
