"""A reader's own words on a poem: an edited title or body, and a note."""

from poetune.errors import ReviewError
from poetune.records import Candidate

LONGEST = {"title": 1_000, "body": 100_000, "note": 10_000}


def title(text: str | None, written: Candidate) -> str | None:
    """The edited title on one line; None where it is the candidate's own. Raises ReviewError where it is too long."""
    if text is None or text == written.title:
        return None
    kept = " ".join(_checked("title", text).split())
    return None if kept == written.title else kept


def body(text: str | None, written: Candidate) -> str | None:
    """The edited body without blank lines around it; None where it is the candidate's own.

    Raises ReviewError where it is empty or too long.
    """
    if text is None or text == written.text:
        return None
    kept = _checked("body", text).strip("\n").rstrip()
    if not kept.strip():
        raise ReviewError("The edited poem is empty; write at least one line, or reject the poem instead.")
    return None if kept == written.text else kept


def note(text: str) -> str:
    """The note. Raises ReviewError where it is too long."""
    return _checked("note", text).strip()


def _checked(field: str, text: str) -> str:
    if len(text) > LONGEST[field]:
        raise ReviewError(f"The {field} has {len(text)} characters, and {LONGEST[field]} is the most; shorten it.")
    if any("\ud800" <= c <= "\udfff" for c in text):  # half a character, which no database can hold
        raise ReviewError(f"The {field} holds a broken character; type or paste it again.")
    return text.replace("\r\n", "\n").replace("\r", "\n")
