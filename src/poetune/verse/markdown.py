"""Poems as Markdown: every line its own, stanzas apart, and no text that a reader's program would take for markup."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&$^])")
_LISTS = re.compile(r"^(\d{1,9})([.)])|^([-+=:])")


def escaped(text: str) -> str:
    """One line of text that reads as itself; leading spaces are kept, where Markdown would drop them."""
    bare = text.lstrip(" \t\u3000")
    lead = text[: len(text) - len(bare)].replace("\t", "    ").replace(" ", "&nbsp;")
    return lead + _LISTS.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", _MARKS.sub(r"\\\1", bare))


def poem(text: str) -> str:
    """A poem's lines, each broken by hand, with an empty line between stanzas."""
    lines = text.strip("\n").split("\n")
    out = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        out.append(escaped(line.rstrip()) + ("\\" if line.strip() and after.strip() else "") if line.strip() else "")
    return "\n".join(out)
