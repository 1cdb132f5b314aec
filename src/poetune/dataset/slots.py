"""Slots in the system text: `{author}` or `{emotion}` is filled in with what a poem says of itself or a user asks."""

import difflib
import re
from collections.abc import Iterable, Mapping

from poetune.errors import RecipeError
from poetune.records import Poem

_SLOT = re.compile(r"\{([^\W\d_][\w -]*)\}")


def slots(text: str) -> list[str]:
    """The names of the slots in a text, in order, each once."""
    return list(dict.fromkeys(_name(found) for found in _SLOT.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its slots filled; a line that has a slot without a value is left out."""
    if not slots(text):
        return text
    known = {_name(name): " ".join(value.split()) for name, value in values.items()}
    kept = [line for line in text.split("\n") if all(known.get(_name(slot)) for slot in _SLOT.findall(line))]
    return "\n".join(_SLOT.sub(lambda found: known[_name(found[1])], line) for line in kept).strip("\n")


def values_of(poem: Poem) -> dict[str, str]:
    """What a poem has for slots: its author, title, form, language and theme, and its tags by their names."""
    own = {name: getattr(poem, name) for name in ("author", "title", "form", "language", "theme")}
    return {_name(name): value for name, value in {**poem.tags, **own}.items() if value.strip()}


def check(text: str, poems: Iterable[Poem]) -> None:
    """Raise RecipeError for a slot that no poem can fill."""
    wanted = slots(text)
    if not wanted:
        return
    known = {"theme"}.union(*(values_of(poem) for poem in poems))
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{{{near[0]}}}`?" if near else f"they have {', '.join(sorted(known))}."
            raise RecipeError(f"dataset.system: no poem says anything for {{{name}}}; {hint}")


def _name(text: str) -> str:
    return text.strip().casefold()
