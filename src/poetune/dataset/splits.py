"""Which poems are learned and which are held out: by a hash of the words, so that it never changes."""

import hashlib
from collections.abc import Iterable, Sequence

from poetune.records import Poem, Split
from poetune.verse.lines import line_key
from poetune.verse.twins import twins

Shares = tuple[float, float, float]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def place(text: str) -> float:
    """A figure in [0, 100) that depends on the text's words alone, not on case, punctuation or spacing."""
    found = hashlib.sha256(f"poetune split 1\n{line_key(text)}".encode()).digest()
    return int.from_bytes(found[:8]) / 2**64 * 100


def split_of(text: str, shares: Shares) -> Split:
    """The split of a text under shares of train, validation and test in per cent.

    With a larger train share what was train stays train.
    """
    at = place(text)
    if at < shares[0]:
        return "train"
    return "validation" if at < shares[0] + shares[1] or shares[2] == 0 else "test"


def assign(poems: Sequence[Poem], shares: Shares) -> tuple[list[Split], list[str]]:
    """The split of each poem, and notes on what was not left to the hash alone.

    Poems that came back from a review are train. Near twins across a border go to train together, which never shows a
    model what it is later measured on. From five poems on, a wanted validation split is never empty; train never is.
    """
    splits: list[Split] = ["train" if poem.parent else split_of(poem.text, shares) for poem in poems]
    notes: list[str] = []
    pairs = [(i, j) for i, j, _ in twins([poem.text for poem in poems])]
    moved = _with_twins(pairs, splits)
    if moved:
        notes.append(f"{moved} held-out poems have a near twin in another split and were moved beside it.")
    places = [place(poem.text) for poem in poems]
    if poems and "train" not in splits:
        splits[min(range(len(poems)), key=places.__getitem__)] = "train"
        notes.append("by hash every poem would be held out, so one was moved to train; add poems.")
    if shares[1] > 0 and "validation" not in splits:
        free = [i for i, poem in enumerate(poems) if not poem.parent and splits[i] == "train"]
        alone = set(free) - {i for pair in pairs for i in pair}
        if len(poems) >= 5 and len(free) > 1 and alone:
            splits[max(alone, key=places.__getitem__)] = "validation"
            notes.append("by hash no poem would be held out for validation, so the nearest one was; add poems.")
        else:
            notes.append(
                "no poem is held out for validation, so the best checkpoint is told by its training loss; "
                "add poems or raise the second figure of dataset.shares."
            )
    return splits, notes


def _with_twins(pairs: Iterable[tuple[int, int]], splits: list[Split]) -> int:
    """Give each group of near twins the first of its members' splits, train before validation; count the moves."""
    group = list(range(len(splits)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i, j in pairs:
        group[root(j)] = root(i)
    best: dict[int, Split] = {}
    for i, split in enumerate(splits):
        at = root(i)
        best[at] = min(best.get(at, split), split, key=SPLITS.index)
    moved = [i for i in range(len(splits)) if splits[i] != best[root(i)]]
    for i in moved:
        splits[i] = best[root(i)]
    return len(moved)
