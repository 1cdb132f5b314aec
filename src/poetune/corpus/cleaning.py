"""One poem's text as it is kept: NFC, \\n line ends, no trailing white space; inner line breaks stay as they were."""

import re
import unicodedata

_BREAKS = {"\r\n": "\n", "\r": "\n", "\x0b": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n\n"}
_BREAK = re.compile("\r\n|[\r\x0b\x85\u2028\u2029]")
_NOTHING = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff]")


def clean(text: str) -> str:
    """The text with unified line ends and characters; blank lines around it and spaces at line ends are removed."""
    text = _BREAK.sub(lambda m: _BREAKS[m[0]], text).replace("\x0c", "\n")
    text = unicodedata.normalize("NFC", _NOTHING.sub("", text))
    return re.sub(r"\A\n+|\n+\Z", "", "\n".join(line.rstrip() for line in text.split("\n")))


def one_line(text: str) -> str:
    """A title or a tag: as `clean`, with every run of white space made one space."""
    return " ".join(clean(text).split())
