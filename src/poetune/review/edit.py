"""A reader's own words on a poem: an edited title or body, a note, reasons, scores; and the reader's name."""

from collections.abc import Mapping, Sequence

from poetune.errors import ReviewError
from poetune.records import Candidate

LONGEST = {"title": 1_000, "body": 100_000, "note": 10_000}
_LONGEST_NAME = 60


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


def reasons(given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The reasons given, in the recipe's order. Raises ReviewError for one that the recipe does not have."""
    strange = [reason for reason in given if reason not in known]
    if strange:
        raise ReviewError(f"{strange[0][:60]!r} is no reason of this project; reload the page for those of poet.yaml.")
    return tuple(reason for reason in known if reason in given)


def scores(given: Mapping[str, int], criteria: Sequence[str]) -> dict[str, int]:
    """Scores in the rubric's order. Raises ReviewError for an unknown criterion and for a score outside 1 to 5."""
    strange = [name for name in given if name not in criteria]
    if strange:
        raise ReviewError(f"{strange[0][:60]!r} is no criterion of this rubric; reload the page for those it has.")
    if not all(1 <= score <= 5 for score in given.values()):
        raise ReviewError("A score is a whole number from 1 to 5; choose one of these.")
    return {name: given[name] for name in criteria if name in given}


def reviewer(name: str) -> str:
    """The reader's name without spaces around it. Raises ReviewError for markup, control characters or great length."""
    kept = name.strip()
    if len(kept) > _LONGEST_NAME or not kept.isprintable() or any(mark in kept for mark in "<>&"):
        raise ReviewError(
            f"The reviewer's name {kept[:_LONGEST_NAME]!r} is not one line of at most {_LONGEST_NAME} characters "
            "without < > &; give a plain one, such as --reviewer ada."
        )
    return kept


def _checked(field: str, text: str) -> str:
    if len(text) > LONGEST[field]:
        raise ReviewError(f"The {field} has {len(text)} characters, and {LONGEST[field]} is the most; shorten it.")
    if any("\ud800" <= c <= "\udfff" for c in text):  # half a character, which no database can hold
        raise ReviewError(f"The {field} holds a broken character; type or paste it again.")
    return text.replace("\r\n", "\n").replace("\r", "\n")
