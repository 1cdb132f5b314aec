"""The title of a candidate: the theme, unless the poem sets one off on top."""

import re

from poetune.verse.lines import language, lines, stanzas, units

_BOOK = re.compile(r"\A\s*《([^《》\n]{1,40})》\s*\Z")
_NAMED = re.compile(r"\A\s*(?:title|题目|题|标题)\s*[:：]\s*(\S.*?)\s*\Z", re.IGNORECASE)
_MARKED = re.compile(r"\A\s*(?:#{1,4}\s+(\S.*?)|\*\*(\S[^*\n]*)\*\*)\s*\Z")
_ENDED = re.compile(r"[,.;:!?，。；：！？、…—-]\s*\Z")
_WORDS, _CHARACTERS = 7, 8


def split_title(text: str, theme: str) -> tuple[str, str]:
    """Title and body. A first line is the title if it is in 《》 or marked as one, or is short and set off.

    A poem whose stanzas are all single lines is double-spaced and has no title; without one, the theme is it.
    """
    printed = lines(text)
    if len(printed) < 2:
        return theme, text
    first, rest = printed[0], text.lstrip("\n").split("\n", 1)[1].strip("\n")
    if not text.split("\n", 1)[0].strip():
        rest = text[text.index(first) + len(first) :].strip("\n")
    for mark in (_BOOK, _NAMED, _MARKED):
        found = mark.match(first)
        if found:
            return next(group for group in found.groups() if group).strip(" 《》*"), rest
    groups = stanzas(text)
    set_off = len(groups) > 1 and len(groups[0]) == 1 and any(len(group) > 1 for group in groups[1:])
    most = _CHARACTERS if language(first) == "zh" else _WORDS
    if set_off and 0 < len(units(first)) <= most and not _ENDED.search(first):
        return first, rest
    return theme, text
