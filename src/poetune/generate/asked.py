"""What cannot be asked: themes and first lines that would break a prompt or a terminal."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from poetune.errors import RecipeError

_SLOT = re.compile(r"\{[^{}\n]{0,40}\}")
_TOKEN = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:bos|eos|pad|unk)>|<(?:start|end)_of_turn>|<\uff5c[^\uff5c]{1,40}\uff5c>",
    re.IGNORECASE,
)
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they reorder what a reader sees


def check_asked(texts: Iterable[str], what: str = "generate.themes") -> None:
    """Line breaks and tabs may stand in a text.

    Raises RecipeError for one that is empty, or holds control characters, a slot in braces or a model's own tokens.
    """
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            raise RecipeError(f"{what}: number {number} is empty; write a word, or leave it out.")
        shown = repr(text[:60])
        bad = next(
            (c for c in text if c not in "\n\t" and (unicodedata.category(c) in ("Cc", "Cs") or c in _TURNS)), ""
        )
        if bad:
            raise RecipeError(f"{what}: {shown} holds the control character U+{ord(bad):04X}; take it out.")
        slot = _SLOT.search(text)
        if slot:
            raise RecipeError(
                f"{what}: {shown} holds {slot[0]}, and slots are filled in dataset.system alone; write the words."
            )
        token = _TOKEN.search(text)
        if token:
            raise RecipeError(f"{what}: {shown} holds {token[0]}, which a model reads as its own mark; take it out.")


def repeated(texts: Sequence[str]) -> list[str]:
    """Texts that stand in the list more than once, each once."""
    return [text for text, count in Counter(texts).items() if count > 1]
