"""Small pieces of Markdown in which foreign text cannot break out of its place."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>&#|~])")


def plain(text: str) -> str:
    """Text on one line, with the characters that Markdown or HTML would read escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """A table whose last `numbers` columns are set right; cells are escaped."""
    rule = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    lines = [list(head), rule, *([plain(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fenced(text: str, kind: str = "") -> str:
    """A code block, with a fence longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}"
