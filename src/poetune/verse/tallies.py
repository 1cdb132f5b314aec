"""A poem counted in one respect at a time: lengths of lines and stanzas, marks, words."""

from collections import Counter

from poetune.verse.lines import clauses, language, stanzas, units

_MARKS = {
    **dict.fromkeys(",，", ","),
    **dict.fromkeys(".。", "."),
    **dict.fromkeys(";；", ";"),
    **dict.fromkeys(":：", ":"),
    **dict.fromkeys("!！", "!"),
    **dict.fromkeys("?？", "?"),
    **dict.fromkeys("—–", "—"),
    **dict.fromkeys("…⋯", "…"),
    **dict.fromkeys('"“”「」『』', '"'),
    **dict.fromkeys("((（", "("),
    "、": "、",
    "-": "-",
}


def line_lengths(text: str) -> Counter[float]:
    """Lines by how many words they have (Han characters of a 句 in Chinese)."""
    return Counter(float(len(units(line))) for line in clauses(text))


def poem_lines(text: str) -> Counter[float]:
    """The poem's number of lines (句), counted once."""
    return Counter([float(len(clauses(text)))])


def stanza_lines(text: str) -> Counter[float]:
    """Stanzas by their number of printed lines."""
    return Counter(float(len(stanza)) for stanza in stanzas(text))


def marks(text: str) -> Counter[str]:
    """Marks of punctuation, full-width and half-width forms as one, and lines that end without any, under ""."""
    found = Counter(_MARKS[character] for character in text if character in _MARKS)
    found[""] = sum(line.rstrip()[-1:] not in _MARKS for line in text.split("\n") if line.strip())
    return found


def words(text: str) -> Counter[str]:
    """Words, or Han characters."""
    return Counter(units(text))


def unit_name(text: str) -> str:
    """What `units` are in the language of a text: `characters` or `words`."""
    return "characters" if language(text) == "zh" else "words"
