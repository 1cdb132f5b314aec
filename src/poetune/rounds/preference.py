"""Decisions as preference rows: pairs of a better and a worse poem (DPO), or poems liked and not (KTO)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from poetune.records import Conversation, Example, Split, digest


@dataclass(frozen=True, slots=True)
class Choice:
    """A poem of a prompt (its id), and what it was chosen over; without `worse`, whether it was `liked` by itself."""

    prompt: str
    text: str
    worse: str = ""
    liked: bool = True


def rows(
    choices: Iterable[Choice], asked: Mapping[str, Conversation], themes: Mapping[str, str], held_out: float
) -> list[Example]:
    """One row a choice, each once; `asked` and `themes` are by the prompt's id.

    All rows of a theme are on one side of the split, so that nothing is measured on what was learned. Poems that came
    to nothing, and pairs of the same poem, are left out.
    """
    found: dict[str, Example] = {}
    for choice in choices:
        conversation = asked.get(choice.prompt)
        if conversation is None:
            continue
        better, worse = (text.removeprefix(conversation.prefix) for text in (choice.text, choice.worse))
        if not better.strip() or (choice.worse and (not worse.strip() or worse.strip() == better.strip())):
            continue
        liked: Literal["", "yes", "no"] = "" if choice.worse else "yes" if choice.liked else "no"
        split: Split = "validation" if _place(themes.get(choice.prompt, "")) < held_out else "train"
        row = Example(conversation, better, split, prompt=choice.prompt, rejected=worse, liked=liked)
        found.setdefault(row.id, row)
    return _some_learned(list(found.values()))


def loss_for(asked: Literal["auto", "dpo", "kto"], pairs: int, fewest: int) -> Literal["dpo", "kto"]:
    """`auto` takes pairs where there are enough of them: a pair says more than two decisions apart."""
    if asked != "auto":
        return asked
    return "dpo" if pairs >= fewest else "kto"


def _place(theme: str) -> float:
    return int(digest("preference", theme), 16) / 16**16


def _some_learned(found: Sequence[Example]) -> list[Example]:
    """With very few themes chance may hold all of them out; then none is."""
    if any(row.split == "train" for row in found):
        return list(found)
    return [replace(row, split="train") for row in found]
