"""A theme for each poem, from what it says of itself or from its words, and the CSV in which the user edits them."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from poetune.dataset.keywords import keywords
from poetune.errors import RecipeError
from poetune.records import Poem
from poetune.verse.lines import language, lines, units

How = Literal["theme", "tag", "title", "words", "first words", "yours"]
COLUMNS = ("poem", "title", "first line", "theme", "how")
_TAGS = ("theme", "topic", "subject", "keyword", "主题", "题材", "意象")
_NO_THEME = re.compile(
    r"(?i)(untitled|无题|無題|失题|其[一二三四五六七八九十百]+|poem|song|sonnet|ode|elegy|fragment|stanzas|lines|canto|诗|诗一首"
    r"|(?:sonnet|poem|canto|book|part|number|no)?[\s.#]*(?:[ivxlcdm]+|\d+)[.:]?)"
)
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """A poem with its theme and where that came from."""

    poem: str
    title: str
    first_line: str
    theme: str
    how: How


def propose_themes(poems: Sequence[Poem]) -> list[ThemeRow]:
    """A theme each: the poem's own, a tag, a short title (3 words or 6 Han characters), a keyword, its first words."""
    words = keywords([poem.text for poem in poems])
    rows = []
    for poem, word in zip(poems, words, strict=True):
        theme, how = _theme(poem, word)
        rows.append(ThemeRow(poem.id, poem.title, lines(poem.text)[0], theme, how))
    return rows


def _theme(poem: Poem, word: str) -> tuple[str, How]:
    if poem.theme.strip():
        return poem.theme.strip(), "theme"
    for name, value in poem.tags.items():
        if name.strip().lower() in _TAGS and value.strip():
            return value.strip(), "tag"
    title = poem.title.strip().strip("《》\"“”'.").strip()
    most = 6 if language(title) == "zh" else 3
    if 0 < len(units(title)) <= most and not _NO_THEME.fullmatch(title) and not re.search(r"\d", title):
        return title, "title"
    if word:
        return word, "words"
    first = lines(poem.text)[0]
    found = units(first)
    return ("".join(found[:4]) if language(first) == "zh" else " ".join(found[:3])) or first, "first words"


def write_themes_csv(rows: Iterable[ThemeRow]) -> str:
    """The themes as CSV to edit; a byte order mark leads, without which spreadsheets misread Chinese."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([row.poem, _shown(row.title), _shown(row.first_line), _shown(row.theme), row.how])
    return "\ufeff" + out.getvalue()


def read_themes_csv(text: str | bytes) -> dict[str, str]:
    """Theme by poem id; empty themes are left out. Bytes may be UTF-8 or what a Chinese spreadsheet saves (GB18030).

    Raises RecipeError where the columns `poem` and `theme` are missing, or a poem has two themes.
    """
    text = _decoded(text).removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        table = [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)
        ]
    except csv.Error as error:
        raise RecipeError(
            f"the themes file is no CSV ({error}); write it anew with `poetune dataset themes`."
        ) from None
    names = [name.lower() for name in table[0]] if table else []
    if "poem" not in names or "theme" not in names:
        raise RecipeError("the themes file needs the columns `poem` and `theme`; `poetune dataset themes` writes one.")
    themes: dict[str, str] = {}
    for number, row in enumerate(table[1:], 2):
        cells: Mapping[str, str] = dict(zip(names, row, strict=False))
        poem, theme = cells.get("poem", ""), _read(cells.get("theme", ""))
        if not poem or not theme:
            continue
        if themes.setdefault(poem, theme) != theme:
            raise RecipeError(f"the themes file names poem {poem} twice, the second time in row {number}; keep one.")
    return themes


def _decoded(data: str | bytes) -> str:
    if isinstance(data, str):
        return data
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RecipeError("the themes file is neither UTF-8 nor GB18030; save it as CSV UTF-8.")


def _shown(cell: str) -> str:
    """A spreadsheet would take the cell for a formula; an apostrophe before it says text."""
    return "'" + cell if cell.lstrip("'").startswith(_FORMULA) else cell


def _read(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell.lstrip("'").startswith(_FORMULA) else cell
