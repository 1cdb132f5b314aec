"""Poems as HTML: every line a block of its own, so that turnovers hang and stanza breaks stay as written."""

from html import escape

from poetune.score.contents import Printed
from poetune.verse.lines import language


def lang(text: str) -> str:
    """` lang="..."` for an element that holds `text`, or "" where the language is not known."""
    code = language(text)
    return f' lang="{code}"' if code else ""


def body(text: str) -> str:
    """The poem's lines; a blank line stays one, blank lines around the poem go."""
    out = []
    for line in text.replace("\r\n", "\n").rstrip().lstrip("\n").split("\n"):
        shown = line.rstrip()
        out.append(f'<span class="line">{escape(shown)}</span>' if shown else '<span class="line gap"></span>')
    return f'<div class="verse" dir="auto"{lang(text)}>{"".join(out)}</div>'


def poem(printed: Printed, level: int = 3) -> str:
    """A whole poem: its title, or an asterism where it has none, its lines and its note."""
    title = printed.title.strip()
    head = (
        f"<h{level}{lang(title)}>{escape(title)}</h{level}>"
        if title
        else f'<h{level} class="untitled"><span aria-label="untitled">⁂</span></h{level}>'
    )
    lines = body(printed.text) if printed.text.strip() else '<p class="nothing">(nothing was written)</p>'
    note = f'<p class="note"{lang(printed.note)}>{escape(printed.note)}</p>' if printed.note else ""
    return f'<article class="poem">{head}{lines}{note}</article>'
