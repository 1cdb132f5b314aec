"""Decisions as preference rows: pairs of a better and a worse poem (DPO), or poems liked and not (KTO)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from poetune.records import Conversation, Example, digest


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
        row = Example(conversation, better, "train", prompt=choice.prompt, rejected=worse, liked=liked)
        found.setdefault(row.id, row)
    kept = {themes.get(row.prompt, "") for row in found.values()}
    apart = _apart(kept, held_out)
    return [replace(row, split="validation") if themes.get(row.prompt, "") in apart else row for row in found.values()]


def loss_for(asked: Literal["auto", "dpo", "kto"], pairs: int, fewest: int) -> Literal["dpo", "kto"]:
    """`auto` takes pairs where there are enough of them: a pair says more than two decisions apart."""
    if asked != "auto":
        return asked
    return "dpo" if pairs >= fewest else "kto"


def _apart(themes: set[str], held_out: float) -> set[str]:
    """The themes that only measure, by their hashes: from five on one at least, where any are wanted; never all."""
    places = {theme: int(digest("preference", theme), 16) / 16**16 for theme in themes}
    apart = {theme for theme, place in places.items() if place < held_out}
    if not apart and held_out and len(themes) >= 5:
        apart = {min(places, key=places.__getitem__)}
    return set() if apart == themes else apart
