"""Lines that stand in other texts, and how much a text repeats itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from poetune.verse.lines import clauses, language, line_key, units


@dataclass(frozen=True, slots=True)
class Copied:
    """A line that stands elsewhere: as written, the id of the text it stands in, and how it reads there."""

    line: str
    source: str
    original: str


class LineIndex:
    """Every line (or 句) of a set of texts, for finding copies. Lines under the shortest lengths never count."""

    def __init__(self, texts: Mapping[str, str], words: int = 4, characters: int = 5) -> None:
        self._shortest = {"zh": characters, "en": words}
        self._where: dict[str, tuple[str, str]] = {}
        for key, text in texts.items():
            for line in clauses(text):
                if self._counts(line):
                    self._where.setdefault(line_key(line), (key, line))

    def _counts(self, line: str) -> bool:
        return len(units(line)) >= self._shortest.get(language(line), self._shortest["en"])

    def copied(self, text: str) -> list[Copied]:
        """The lines of `text` that stand in the index."""
        found = []
        for line in clauses(text):
            source = self._where.get(line_key(line)) if self._counts(line) else None
            if source is not None:
                found.append(Copied(line, *source))
        return found

    def countable(self, text: str) -> int:
        """How many lines of `text` are long enough to be called copied."""
        return sum(self._counts(line) for line in clauses(text))


def line_keys(text: str) -> set[str]:
    """The compared forms of a text's lines, empty ones left out."""
    return {key for key in (line_key(line) for line in clauses(text)) if key}


def repetition(text: str) -> float:
    """Share of 4-unit windows that occurred before in the text: 0 for none, near 1 for a loop."""
    found = units(text)
    windows = [tuple(found[i : i + 4]) for i in range(len(found) - 3)]
    return 1 - len(set(windows)) / len(windows) if windows else 0.0


def distinct(texts: Iterable[str], n: int) -> float:
    """Distinct-n: different n-unit windows over all windows of the texts together."""
    windows = [tuple(u[i : i + n]) for u in map(units, texts) for i in range(len(u) - n + 1)]
    return len(set(windows)) / len(windows) if windows else 0.0
