"""What an edit changed: lines kept, taken out and put in, and within a changed line the words or characters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\s+|.", re.DOTALL)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_ALIKE = 0.4  # below this share of common tokens two lines are strangers, and word marks would only be noise
_MOST_TOKENS = 400
_MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a difference; `parts` are (text, changed) pieces that add up to the line."""

    kind: Literal["same", "removed", "added"]
    parts: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(text for text, _ in self.parts)


def difference(before: str, after: str) -> list[Line]:
    """Lines of both texts in reading order: `same` + `removed` are `before`, `same` + `added` are `after`."""
    old, new = before.split("\n"), after.split("\n")
    if max(len(old), len(new)) > _MOST_LINES:  # matching takes time in the square of the lines
        return [_plain("removed", line) for line in old] + [_plain("added", line) for line in new]
    out: list[Line] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            out += [_plain("same", line) for line in old[a:b]]
            continue
        pairs = min(b - a, d - c)
        for k in range(pairs):
            out += _changed(old[a + k], new[c + k])
        out += [_plain("removed", line) for line in old[a + pairs : b]]
        out += [_plain("added", line) for line in new[c + pairs : d]]
    return out


def _plain(kind: Literal["same", "removed", "added"], line: str) -> Line:
    return Line(kind, ((line, False),))


def _changed(old: str, new: str) -> list[Line]:
    a, b = _tokens(old), _tokens(new)
    if max(len(a), len(b)) <= _MOST_TOKENS:
        matcher = SequenceMatcher(None, a, b, autojunk=False)
        if matcher.ratio() >= _ALIKE:
            codes = matcher.get_opcodes()
            removed = [("".join(a[i:j]), tag != "equal") for tag, i, j, _, _ in codes if j > i]
            added = [("".join(b[i:j]), tag != "equal") for tag, _, _, i, j in codes if j > i]
            return [Line("removed", tuple(removed)), Line("added", tuple(added))]
    return [_plain("removed", old), _plain("added", new)]


def _tokens(line: str) -> Sequence[str]:
    """Words, runs of white space, single marks; each Han character by itself."""
    found: list[str] = []
    for token in _TOKEN.findall(line):
        found += list(token) if _HAN.search(token) else [token]
    return found
