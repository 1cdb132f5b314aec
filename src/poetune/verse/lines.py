"""Lines and stanzas of a poem, its language, and the units (words or Han characters) in which lines are measured."""

import re
import unicodedata

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CLAUSE = re.compile(r"[，。！？；：、,.!?;:\n]+")


def language(text: str) -> str:
    """`zh` where Han characters are at least as many as words of letters, else `en`; "" for neither."""
    han = len(_HAN.findall(text))
    words = len(_WORD.findall(_HAN.sub(" ", text)))
    if han == words == 0:
        return ""
    return "zh" if han >= words else "en"


def lines(text: str) -> list[str]:
    """The printed lines that hold something, without surrounding white space."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def stanzas(text: str) -> list[list[str]]:
    """Lines grouped by the blank lines between them."""
    groups: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            groups[-1].append(line.strip())
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def units(text: str) -> list[str]:
    """Words in lower case; each Han character is a unit of its own."""
    if not _HAN.search(text):
        words = [word.lower() for word in _WORD.findall(text)]
        return [word.replace("’", "'") for word in words] if "’" in text else words
    out: list[str] = []
    for part in re.findall(rf"{_HAN.pattern}|{_WORD.pattern}", text):
        word = part.lower().replace("’", "'")
        if _HAN.match(word) or not _HAN.search(word):
            out.append(word)
        else:
            out += [c for c in word if _HAN.match(c)]
    return out


def clauses(text: str) -> list[str]:
    """Lines of a Chinese poem (句), which are often two to a printed line; printed lines in other languages."""
    if language(text) == "zh":
        return [part.strip() for part in _CLAUSE.split(text) if part.strip()]
    return lines(text)


def line_key(line: str) -> str:
    """A line as it is compared: NFKC, lower case, units only, so that punctuation and spacing do not matter."""
    return " ".join(units(unicodedata.normalize("NFKC", line)))
