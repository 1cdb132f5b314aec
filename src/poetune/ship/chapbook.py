"""A chapbook: accepted poems as Markdown, and as a page that prints to A5, poem by poem."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from poetune.ship.markdown import plain
from poetune.verse.lines import language


@dataclass(frozen=True, slots=True)
class Chapbook:
    """A title, who is named under it, the poems as (title, text), and what the last page says of their making."""

    title: str
    author: str
    poems: Sequence[tuple[str, str]]
    colophon: Sequence[str] = ()


def as_markdown(book: Chapbook) -> str:
    """A heading for each poem; line and stanza breaks hold in any reader of Markdown."""
    parts = [f"# {plain(book.title)}"] + ([f"*{plain(book.author)}*"] if book.author else [])
    for title, text in book.poems:
        parts += ["## " + (plain(title) or r"\*"), *(_stanza(s) for s in _stanzas(text))]
    if book.colophon:
        parts += ["---", *(plain(line) for line in book.colophon)]
    return "\n\n".join(parts) + "\n"


def as_html(book: Chapbook) -> str:
    """One page without network or script; on paper A5, title page, contents, each poem on a page of its own."""
    chinese = sum(language(text) == "zh" for _, text in book.poems) * 2 > len(book.poems)
    contents = "".join(
        f'<li><a href="#p{i}">{html.escape(_name(title, text))}</a></li>'
        for i, (title, text) in enumerate(book.poems, 1)
    )
    poems = "".join(_poem(i, title, text) for i, (title, text) in enumerate(book.poems, 1))
    colophon = "".join(f"<p>{html.escape(line)}</p>" for line in book.colophon)
    author = f'<p class="author">{html.escape(book.author)}</p>' if book.author else ""
    return (
        f'<!doctype html>\n<html lang="{"zh" if chinese else "en"}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(book.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{html.escape(book.title)}</h1>{author}</header>\n<nav><ol>{contents}</ol></nav>\n"
        f"<main>\n{poems}</main>\n<footer>{colophon}</footer>\n</body>\n</html>\n"
    )


def _stanzas(text: str) -> list[list[str]]:
    """Lines grouped by blank lines; leading spaces are the poem's own."""
    groups: list[list[str]] = [[]]
    for line in text.strip("\n").split("\n"):
        if line.strip():
            groups[-1].append(line.rstrip())
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def _stanza(lines: Sequence[str]) -> str:
    # Two blanks at the end break a line; no-break spaces keep an indent, which Markdown would drop or read as code.
    return "  \n".join("\u00a0" * (len(line) - len(line.lstrip())) + _unmarked(line.lstrip()) for line in lines)


def _unmarked(line: str) -> str:
    """A line that Markdown reads as nothing but words: no list, heading or rule at its start."""
    said = plain(line)
    head = said.split(" ", 1)[0]
    if head in ("-", "+", "—") or head[:1] in "-+=" or (head[:-1].isdigit() and head[-1:] in ".)"):
        return said[: len(head) - 1] + "\\" + said[len(head) - 1 :] if head[:-1].isdigit() else "\\" + said
    return said


def _name(title: str, text: str) -> str:
    return title or next((line.strip() for line in text.split("\n") if line.strip()), "")


def _poem(number: int, title: str, text: str) -> str:
    tongue = language(text) or "en"
    head = f"<h2>{html.escape(title)}</h2>" if title else '<h2 class="none">*</h2>'
    stanzas = "".join(
        '<p class="stanza">' + "".join(f'<span class="line">{html.escape(line)}</span>' for line in lines) + "</p>"
        for lines in _stanzas(text)
    )
    return f'<article id="p{number}" lang="{tongue}">{head}{stanzas}</article>\n'


_STYLE = """
@page { size: A5; margin: 18mm 16mm 20mm; @bottom-center { content: counter(page); font: 9pt Georgia, serif; } }
@page :first { @bottom-center { content: none; } }
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 34rem; padding: 0 1.2rem; background: #fffdf8; color: #1d1a16;
  font: 1.05rem/1.55 Georgia, "Iowan Old Style", "Noto Serif", serif; }
:lang(zh) { font-family: "Songti SC", "Noto Serif CJK SC", "Noto Sans CJK SC", SimSun, serif; line-height: 1.9; }
header { text-align: center; padding: 22vh 0 8vh; }
h1 { font-weight: normal; font-size: 2.1rem; letter-spacing: .02em; margin: 0; }
.author { font-style: italic; margin-top: 1.2rem; }
nav ol { list-style: none; padding: 0; }
nav a { color: inherit; text-decoration: none; }
nav a:hover, nav a:focus { text-decoration: underline; }
article { padding: 3rem 0; }
h2 { font-weight: normal; font-size: 1.25rem; margin: 0 0 1.4rem; }
h2.none { color: #8a8378; }
.stanza { margin: 0 0 1.1em; break-inside: avoid; }
.line { display: block; padding-left: 2em; text-indent: -2em; white-space: pre-wrap; }
footer { border-top: 1px solid #cfc8bb; padding: 1.5rem 0 4rem; font-size: .85rem; color: #5b554b; }
@media print {
  body { max-width: none; padding: 0; background: none; font-size: 11pt; }
  header { padding: 55mm 0 0; }
  nav, article, footer { break-before: page; }
  article, footer { padding: 0; }
  footer { border: 0; }
}
"""
