"""The poems that were decided, as a reader finds them again: by words, model, template, language, round or reader."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from poetune.records import Candidate, Model, Prompt, Review
from poetune.review.rates import label
from poetune.verse.lines import language

Decided = Literal["accept", "reject"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A decided poem as its reader left it; `original` and `original_title` are None where nothing was edited."""

    candidate: str
    decision: Decided
    title: str
    text: str
    original_title: str | None
    original: str | None
    theme: str
    model: str
    template: str
    language: str
    round: int
    reviewer: str
    note: str
    reasons: tuple[str, ...]
    rubric: str
    scores: Mapping[str, int]
    at: str

    @property
    def edited(self) -> bool:
        """Whether title or text was changed."""
        return self.original is not None or self.original_title is not None


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; "" and 0 stand for all. `words` must all occur in title, text, theme or note."""

    words: str = ""
    decision: Decided = "accept"
    model: str = ""
    template: str = ""
    language: str = ""
    round: int = 0
    reviewer: str = ""
    reason: str = ""
    edited: bool = False

    def fits(self, entry: Entry) -> bool:
        """Whether an entry is looked for."""
        exact = ("decision", "model", "template", "language", "round", "reviewer")
        if any(getattr(self, name) not in ("", 0, getattr(entry, name)) for name in exact):
            return False
        if (self.reason and self.reason not in entry.reasons) or (self.edited and not entry.edited):
            return False
        text = "\n".join((entry.title, entry.text, entry.theme, entry.note)).casefold()
        return all(word in text for word in self.words.casefold().split())


def entries(
    decided: Iterable[Review],
    candidates: Mapping[str, Candidate],
    models: Sequence[Model],
    prompts: Mapping[str, Prompt],
) -> list[Entry]:
    """An entry for each accept and reject, the latest first."""
    names = {model.id: label(model, models) for model in models}
    found = []
    for act in sorted(decided, key=lambda act: act.at, reverse=True):
        candidate = candidates.get(act.candidate)
        if candidate is None or act.action not in ("accept", "reject"):
            continue
        prompt = prompts.get(candidate.prompt)
        text = candidate.text if act.body is None else act.body
        found.append(
            Entry(
                candidate.id,
                act.action,
                candidate.title if act.title is None else act.title,
                text,
                None if act.title is None else candidate.title,
                None if act.body is None else candidate.text,
                (prompt.theme or prompt.opening) if prompt else "",
                names.get(candidate.model, ""),
                prompt.template if prompt else "",
                language(text),
                candidate.round,
                act.reviewer,
                act.note,
                act.reasons,
                act.rubric,
                act.scores,
                act.at,
            )
        )
    return found


def choices(found: Sequence[Entry]) -> dict[str, list[str]]:
    """The values that each filter can take, in the order of their first poem."""
    out: dict[str, list[str]] = {}
    for name in ("model", "template", "language", "round"):
        out[name] = list(dict.fromkeys(str(getattr(entry, name)) for entry in found if getattr(entry, name)))
    out["reason"] = list(dict.fromkeys(reason for entry in found for reason in entry.reasons))
    return out


COLUMNS = tuple(field.name for field in fields(Entry))
