"""The accepted poems of all rounds become a chapbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from poetune.errors import EngineError
from poetune.records import Candidate, Poem, Review
from poetune.review import decisions
from poetune.ship.chapbook import Chapbook, as_html, as_markdown
from poetune.ship.usage import base_name
from poetune.store.atomic import write_text
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Printed:
    """Where the chapbook lies, and how many poems it holds."""

    markdown: str
    html: str
    poems: int


def chapbook(studio: Studio, to: Path | None = None) -> Printed:
    """Write `chapbook.md` and `chapbook.html` into the project's `shipped`, or into the folder `to`.

    Raises EngineError where no poem was accepted yet.
    """
    poems = _accepted(studio)
    if not poems:
        raise EngineError("no poem was accepted yet, so the chapbook would be empty; run `poetune review` first.")
    book = Chapbook(studio.recipe.name, studio.recipe.ship.author, poems, _colophon(studio, len(poems)))
    folder = (to or studio.folder / "shipped").resolve()
    markdown, html = folder / "chapbook.md", folder / "chapbook.html"
    write_text(markdown, as_markdown(book))
    write_text(html, as_html(book))
    return Printed(str(markdown), str(html), len(poems))


def _accepted(studio: Studio) -> list[tuple[str, str]]:
    """Title and text as the reader left them, by round and then in the order of acceptance; each text once."""
    held = decisions(studio.store.all(Review))
    found: dict[str, tuple[int, str, str]] = {}
    for key, act in held.items():
        poem = studio.store.one(Candidate, key)
        if act.action == "accept" and poem is not None:
            text = poem.text if act.body is None else act.body
            found.setdefault(text.strip(), (poem.round, poem.title if act.title is None else act.title, text))
    ordered: Sequence[tuple[int, str, str]] = sorted(found.values(), key=lambda each: each[0])
    return [(title, text) for _, title, text in ordered]


def _colophon(studio: Studio, count: int) -> list[str]:
    corpus = sum(poem.origin == "corpus" for poem in studio.store.all(Poem))
    base = base_name(studio.recipe.base)
    return [
        f"{count} poems, written by a language model ({base}) that was tuned on {corpus} poems, and read, chosen and "
        "where needed edited by a person.",
        "Made with poetune.",
    ]
