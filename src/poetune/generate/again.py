"""One line of a poem written anew, in its place: what stands before it is read, what stands after it stays."""

from poetune.errors import EngineError


def before(text: str, line: int) -> str:
    """The text up to the `line`-th line that holds something (from 1), with the break before it.

    Raises EngineError where the poem has no such line.
    """
    place = _place(text, line)
    return "".join(f"{each}\n" for each in text.split("\n")[:place])


def with_line(text: str, line: int, written: str) -> str:
    """The text with that line replaced by the first line of `written` that holds something."""
    place = _place(text, line)
    lines = text.split("\n")
    lines[place] = next((each.rstrip() for each in written.split("\n") if each.strip()), lines[place])
    return "\n".join(lines)


def _place(text: str, line: int) -> int:
    places = [i for i, each in enumerate(text.split("\n")) if each.strip()]
    if not 1 <= line <= len(places):
        raise EngineError(
            f"the poem has {len(places)} lines, and line {line} was asked for; name one of 1 to {len(places)}."
        )
    return places[line - 1]
