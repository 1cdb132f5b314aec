"""How a written text ends: lines counted, cut and tidied, the same for every engine."""

import re
from collections.abc import Sequence

_BLANK_HEAD = re.compile(r"\A(?:[^\S\n]*\n)+")


def full_lines(text: str) -> int:
    """Lines that hold something and are closed by a line break."""
    return sum(1 for line in text.split("\n")[:-1] if line.strip())


def cut_lines(text: str, most: int) -> str:
    """The text up to the end of its `most`-th line that holds something."""
    seen = 0
    kept = []
    for line in text.split("\n"):
        kept.append(line)
        seen += bool(line.strip())
        if seen == most:
            break
    return "\n".join(kept)


def first_of(text: str, stops: Sequence[str]) -> int | None:
    """Where the first of the stop sequences begins; None where none is there."""
    return min((place for stop in stops if (place := text.find(stop)) >= 0), default=None)


def settled(text: str, stops: Sequence[str] = ()) -> str:
    """The part of an unfinished text that what comes next cannot change: no half character, no beginning of a stop."""
    text = text.rstrip("\ufffd")
    begun = max((n for stop in stops for n in range(1, len(stop)) if text.endswith(stop[:n])), default=0)
    return text[: len(text) - begun].rstrip()


def continuation(whole: str, prefix: str) -> str:
    """What `whole` adds to `prefix`; without one, blank lines and one blank before the first word go.

    After a prefix the white space that joins the two is kept, so that prefix + continuation is the poem.
    """
    if not prefix:
        return _BLANK_HEAD.sub("", whole).rstrip().removeprefix(" ")
    return whole[len(prefix) :].rstrip()
