"""Line breaks that were lost, poems that were cut into single lines: how both are recognised and mended."""

import re
from collections.abc import Sequence
from itertools import pairwise

from poetune.corpus.columns import Draft, compared, known
from poetune.verse.lines import language, units

_ENDS = r"(?:(?<=[a-zà-ÿ])|(?<=[a-zà-ÿ][,.;:!?)—…])|(?<=[a-zà-ÿ][,.;:!?][\"'”’)])|(?<=[a-zà-ÿ][\"'”’])|(?<=\bI))"
_FUSED = re.compile(_ENDS + r"(?=[\"'“‘(]?[A-ZÀ-Þ])(?<!Mc)(?<!Mac)(?<!\b[dOD]['’])(?<!\bDe)(?<!\bLa)(?<!Fitz)")
_MARKED = re.compile(r"\s*(?:<br\s*/?>|\\r\\n|\\n)\s*|(?<=\S)\s+//?\s+(?=\S)", re.IGNORECASE)
_STOP_ZH = re.compile(r"(?<=[。！？；])(?![\s”’」』）。！？；]|$)|(?<=[。！？；][”’」』）])(?!$)")
_LONG_EN, _LONG_ZH = 200, 60  # characters on one printed line from which it holds several lines of verse


def lost(text: str) -> bool:
    """Whether the text is one printed line that holds several lines of verse."""
    line = text.strip()
    if "\n" in line:
        return False
    if language(line) == "zh":
        return len(line) >= _LONG_ZH
    return len(line) >= _LONG_EN or (len(line) >= 60 and len(_FUSED.findall(line)) >= 2)


def mend(text: str) -> str:
    """Break long lines at what breaks left: <br>, a written \\n, slashes, words fused at capitals, Chinese stops."""
    return "\n".join(_mend_line(line) for line in text.split("\n"))


def _mend_line(line: str) -> str:
    if len(_MARKED.findall(line)) >= 1 and len(line) >= 30:
        return _MARKED.sub("\n", line)
    if language(line) == "zh":
        return _STOP_ZH.sub("\n", line) if len(line) >= 24 else line
    return _FUSED.sub("\n", line) if len(line) >= 60 else line


def joined(drafts: Sequence[Draft], column: str) -> list[Draft]:
    """Rows that agree in `column` (and file and author) as one poem, in their order; an empty text is a stanza break.

    Raises CorpusError where no row has the column.
    """
    known([column], drafts, "corpus.join_lines_by")
    poems: dict[tuple[str, ...], Draft] = {}
    for row in drafts:
        value = ", ".join(row.columns.get(compared(column), ()))
        key = (row.file, value, row.fields.get("author", "")) if value else (row.file, "", str(row.number), "alone")
        text = row.fields.get("text", "")
        if key in poems:
            poems[key].fields["text"] += "\n" + text
        else:
            poems[key] = Draft(row.file, row.number, {**row.fields, "text": text}, row.tags, row.columns, row.shown)
    return list(poems.values())


def remarks(texts: Sequence[str], drafts: Sequence[Draft]) -> list[str]:
    """What to say about a corpus that lost its line breaks or was cut into single lines, with the remedy."""
    if not texts:
        return []
    found = []
    flat = [text for text in texts if lost(text)]
    if len(flat) >= max(1, len(texts) / 4):
        mended = sum("\n" in mend(text) for text in flat)
        remedies = []
        if mended:
            remedies.append(
                f"for {mended} of them use --mend-line-breaks (corpus.mend_line_breaks), "
                "which breaks where a trace is left"
            )
        if mended < len(flat):
            remedies.append(
                f"for {len(flat) - mended} no trace is left, so take them from a source that kept their lines"
            )
        remedy = "; ".join(remedies)
        found.append(f"{len(flat)} of {len(texts)} poems lost their line breaks (each is one long line); {remedy}.")
    single = [text for text in texts if "\n" not in text.strip() and not lost(text) and len(units(text)) <= 40]
    if len(single) >= max(5, 0.8 * len(texts)):
        columns = _groups(drafts)
        remedy = (
            "use --join-lines-by (corpus.join_lines_by) with the column that tells poems apart "
            f"(here perhaps {' or '.join(columns)})"
            if columns
            else "no column says which lines belong together, so take the poems from a source that kept them whole"
        )
        found.append(f"{len(single)} of {len(texts)} poems are single lines, as if poems were cut apart; {remedy}.")
    return found


def _groups(drafts: Sequence[Draft]) -> list[str]:
    """Columns whose values come in runs of neighbouring rows, at least two to a run: those may tell poems apart."""
    names = {name for row in drafts for name in row.columns}
    groups = []
    for name in sorted(names - {"text", "author", "language", "licence", "form", "source"}):
        values = [row.columns.get(name, ()) for row in drafts]
        runs = 1 + sum(a != b for a, b in pairwise(values))
        if 1 < runs <= min(len(values) / 2, 1.5 * len(set(values))):
            groups.append((runs, next(row.shown.get(name, name) for row in drafts if name in row.columns)))
    return [name for _, name in sorted(groups, reverse=True)[:3]]
