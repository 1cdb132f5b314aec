"""One file with many poems: the rules by which it can fall apart, and which rule a file suggests."""

import re
from collections import Counter

from poetune.corpus.intake import Preview
from poetune.verse.lines import language, units

_RULER = re.compile(r"([-*=_~#+%—※◇◆○●☆★])(?:\s*\1){2,}|[%§※]")
_HEADING = re.compile(r"#{1,3}\s+\S")
WORDS = {
    "#": "a heading opens each poem",
    "blank2": "two or more blank lines part the poems",
    "blank": "one blank line parts the poems",
}


def split(text: str, rule: str) -> list[str]:
    """The parts of a text by a rule: `blank`, `blank2`, `#` (headings) or a line that stands between poems."""
    if rule == "blank":
        parts = re.split(r"\n(?:[^\S\n]*\n)+", text)
    elif rule == "blank2":
        parts = re.split(r"\n(?:[^\S\n]*\n){2,}", text)
    elif rule == "#":
        parts = _by_headings(text)
    else:
        parts = [""]
        for line in text.split("\n"):
            if line.strip() == rule.strip():
                parts.append("")
            else:
                parts[-1] += line + "\n"
    return [part for part in (p.strip("\n") for p in parts) if part.strip()]


def _by_headings(text: str) -> list[str]:
    parts = [""]
    for line in text.split("\n"):
        if _HEADING.match(line):
            parts.append("")
        parts[-1] += line + "\n"
    return parts


def suggested(text: str) -> str:
    """The rule that a file suggests, or "" where it looks like one poem; the surest kind of rule goes first."""
    lines = text.split("\n")
    if sum(_HEADING.match(line) is not None for line in lines) >= 2:
        return "#"
    rulers = Counter(line.strip() for line in lines if _RULER.fullmatch(line.strip()))
    if rulers:
        ruler, count = rulers.most_common(1)[0]
        # One row of asterisks inside a poem is an ornament; it parts poems where both sides look whole.
        if count >= 2 or min(map(_size, split(text, ruler)), default=0) >= 2:
            return ruler
    if len(split(text, "blank2")) >= 2 and len(split(text, "blank")) > len(split(text, "blank2")):
        return "blank2"
    blocks = split(text, "blank")
    sizes = [_size(block) for block in blocks]
    if len(split(text, "blank2")) >= 3 and min(map(_size, split(text, "blank2"))) >= 2:
        return "blank2"
    # Stanzas also stand between blank lines: only many blocks, long and of unequal length, are taken for poems.
    middle = sorted(sizes)[len(sizes) // 2] if sizes else 0
    even = sum(size == middle for size in sizes) > len(sizes) / 3
    if len(blocks) >= 12 and middle >= 6 and min(sizes) >= 2 and not even:
        return "blank"
    return ""


def _size(part: str) -> int:
    return sum(bool(line.strip()) for line in part.split("\n"))


def titled(part: str) -> tuple[str, str]:
    """Title and body of a part.

    A heading (`# ...`) or a line in 《》 is a title; so is a short first line without closing punctuation, if a blank
    line follows it and a block of at least two lines comes after that.
    """
    lines = part.strip("\n").split("\n")
    first = lines[0].strip()
    rest = "\n".join(lines[1:]).strip("\n")
    if not rest.strip():
        return "", part
    if _HEADING.match(lines[0]):
        return first.lstrip("#").strip(), rest
    if re.fullmatch(r"《[^》]+》", first):
        return first[1:-1], rest
    numbered = re.fullmatch(r"[（(]?(?:[一二三四五六七八九十]+|\d+|[IVXLC]+)[)）.、]?", first) is not None
    short = not numbered and len(units(first)) <= (15 if language(first) == "zh" else 10)
    closed = re.search(r"[,.;:，。；：、！？—-]['\"”’」』]?$", first) is not None
    next_block = split("\n".join(lines[1:]), "blank")[0]
    if short and not closed and first and not lines[1].strip() and _size(next_block) >= 2:
        return first, rest
    return "", part


def preview_of(name: str, text: str, rule: str) -> Preview:
    """What `rule` would make of a file."""
    parts = split(text, rule)
    openings = []
    for part in parts[:5]:
        title, body = titled(part)
        openings.append(title or body.strip().split("\n")[0].strip())
    says = WORDS.get(rule, f"a line `{rule}` parts the poems")
    return Preview(name, rule, says, len(parts), tuple(openings))
