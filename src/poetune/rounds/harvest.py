"""Accepted candidates become poems of the corpus, as the reader left them, each with its candidate as parent."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from poetune.errors import ReviewError
from poetune.records import Candidate, Poem, Prompt
from poetune.verse.lines import language


@dataclass(frozen=True, slots=True)
class Kept:
    """A reader's acceptance; `title` and `body` are the edited ones, None where left as written."""

    candidate: str
    title: str | None = None
    body: str | None = None


def harvest(
    candidates: Iterable[Candidate],
    prompts: Mapping[str, Prompt],
    kept: Iterable[Kept],
    number: int,
    existing: Iterable[Poem] = (),
    author: str = "",
    licence: str = "",
) -> list[Poem]:
    """The poems that round `number` gives back, in the order kept; `prompts` by id.

    A candidate kept twice counts once, as last kept. A candidate or a text that is already among `existing`, or earlier
    in the harvest, is left out. Raises ReviewError for an unknown candidate and for a poem with no text.
    """
    known = {candidate.id: candidate for candidate in candidates}
    existing = list(existing)
    parents = {poem.parent for poem in existing if poem.parent}
    texts = {_tidy(poem.text) for poem in existing}
    poems: list[Poem] = []
    for keep in {k.candidate: k for k in kept}.values():
        candidate = known.get(keep.candidate)
        if candidate is None:
            raise ReviewError(
                f"Round {number} accepted candidate {keep.candidate}, which is not in the project; "
                "undo that decision in `poetune review`."
            )
        text = _tidy(candidate.text if keep.body is None else keep.body)
        if not text:
            raise ReviewError(
                f"Candidate {keep.candidate} was accepted in round {number} without any text; "
                "reject it, or write its body, in `poetune review`."
            )
        if keep.candidate in parents or text in texts:
            continue
        texts.add(text)
        prompt = prompts.get(candidate.prompt)
        poems.append(
            Poem(
                text=text,
                title=" ".join(_tidy(candidate.title if keep.title is None else keep.title).split()),
                author=author,
                language=language(text),
                theme=prompt.theme if prompt else "",
                source=f"model {candidate.model}",
                licence=licence,
                origin=f"round:{number}",
                parent=candidate.id,
            )
        )
    return poems


def _tidy(text: str) -> str:
    """NFC, one kind of newline (a browser sends CRLF), nothing after a line's end, no blank lines around the poem."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
