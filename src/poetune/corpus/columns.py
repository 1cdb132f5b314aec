"""Column names: which one is the text, the title, the author; what the user maps; the filters on values."""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from poetune.corpus.chat import unwrap
from poetune.corpus.intake import Row
from poetune.errors import CorpusError

# fmt: off
NAMES: Mapping[str, tuple[str, ...]] = {
    "text": (
        "text", "poem", "content", "contents", "body", "poem_text", "poem_content", "poems",
        "verse", "verses", "paragraphs", "lines", "line", "poetry", "response", "completion",
        "output", "诗", "诗歌", "诗文", "内容", "正文", "文本", "诗句", "作品", "原文", "詩", "詩歌", "內容",
    ),
    "title": (
        "title", "poem_name", "poem_title", "name", "title_name", "heading", "rhythmic", "题目",
        "标题", "诗名", "诗题", "题", "篇名", "词牌", "題目", "標題",
    ),
    "author": ("author", "poet", "poet_name", "author_name", "writer", "作者", "诗人", "詩人",),
    "theme": ("theme", "themes", "topic", "subject", "image", "主题", "题材", "意象", "主題",),
    "language": ("language", "lang", "语言",),
    "form": ("form", "形式", "体裁",),
    "prompt": ("prompt",),
    "system": ("system",),
    "licence": ("licence", "license", "许可",),
    "source": ("source", "url", "来源", "出处",),
}
# fmt: on
_LANGUAGES = {
    "english": "en",
    "en": "en",
    "eng": "en",
    "chinese": "zh",
    "zh": "zh",
    "cn": "zh",
    "中文": "zh",
    "汉语": "zh",
}
_LONGEST_TAG = 200  # characters; longer values are texts of their own, not tags


@dataclass(slots=True)
class Draft:
    """A row whose columns are known, before its text is cleaned.

    `columns` are all values by compared name, `shown` the names as they stand in the file.
    """

    file: str
    number: int
    fields: dict[str, str]
    tags: dict[str, str]
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)


def compared(name: str) -> str:
    """A column name or value as it is compared: NFKC, lower case, no spaces, underscores or hyphens."""
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", name).casefold())


_FIELD_OF = {compared(alias): kind for kind, aliases in NAMES.items() for alias in aliases}
_RANK = {compared(alias): rank for aliases in NAMES.values() for rank, alias in enumerate(aliases)}


def draft(row: Row, names: Mapping[str, str]) -> Draft:
    """Sort a row's columns into fields and tags; `names` maps the file's columns to ours and goes first."""
    wanted = {compared(theirs): ours.strip() for theirs, ours in names.items()}
    values = _mapped(row.values, wanted) if "text" in wanted.values() else unwrap(row.values)
    taken: dict[str, tuple[int, str]] = {}
    empty: dict[str, str] = {}
    for column, value in values.items():
        key = compared(column)
        kind = _kind(wanted[key]) if key in wanted else _FIELD_OF.get(key, "")
        if kind == "text" and not _filled(value):
            empty["text"] = ""  # the column is there: the row has no text, which is another thing than no column
        rank = -1 if key in wanted else _RANK.get(key, 0)
        if kind and _filled(value) and (kind not in taken or rank < taken[kind][0]) and _suits(kind, value):
            taken[kind] = (rank, column)
    fields = empty | {
        kind: _joined(values[column], "\n" if kind == "text" else ", ") for kind, (_, column) in taken.items()
    }
    fields["language"] = _LANGUAGES.get(fields.get("language", "").strip().casefold(), "")
    used = {column for _, column in taken.values()}
    tags, found = {}, {}
    for column, value in values.items():
        key = compared(column)
        parts = tuple(_parts(value))
        found[key] = parts
        if key in wanted:
            found[compared(wanted[key])] = parts
        text = ", ".join(parts)
        if column not in used and 0 < len(text) <= _LONGEST_TAG and "\n" not in text and not _nameless(column):
            tags[wanted.get(key, " ".join(column.split()).lower())] = text
    for kind, text in fields.items():
        found.setdefault(kind, (text,) if kind != "text" else ())
    return Draft(row.file, row.number, fields, tags, found, {compared(column): column for column in row.values})


def _mapped(values: Mapping[str, object], wanted: Mapping[str, str]) -> Mapping[str, object]:
    """Where the user says which column is the text, only that one may be a conversation."""
    named = {column for column in values if wanted.get(compared(column)) == "text"}
    found = unwrap({column: values[column] for column in named})
    if not found.keys() - named:
        return values
    (column,) = named
    return {**found, **values, column: found["text"]} if len(named) == 1 else values


def _kind(name: str) -> str:
    return _FIELD_OF.get(compared(name), "") if compared(name) in NAMES else ""


def _filled(value: object) -> bool:
    return bool(value) and value == value  # NaN is what some tables hold for nothing


def _suits(kind: str, value: object) -> bool:
    return (
        kind != "text" or isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value))
    )


def _nameless(column: str) -> bool:
    return re.fullmatch(r"unnamed:? ?\d+|index|_?id|\d*", column.strip(), re.IGNORECASE) is not None


def _parts(value: object) -> Iterable[str]:
    if isinstance(value, list | tuple):
        return [str(v).strip() for v in value if isinstance(v, str | int | float)]
    return [str(value).strip()] if isinstance(value, str | int | float) and _filled(value) else []


def _joined(value: object, by: str) -> str:
    if isinstance(value, list):
        return by.join(str(v) for v in value if isinstance(v, str | int | float))
    return str(value)


def known(names: Iterable[str], drafts: Sequence[Draft], option: str) -> None:
    """Raise CorpusError where no row has one of these columns."""
    present = {column: row.shown.get(column, column) for row in drafts for column in row.columns}
    for name in names:
        if compared(name) not in present and drafts:
            near = difflib.get_close_matches(compared(name), present, n=1)
            hint = f"did you mean `{present[near[0]]}`?" if near else f"there are {column_names(drafts)}."
            raise CorpusError(f"{option}: no file has a column `{name}`; {hint}")


def column_names(drafts: Iterable[Draft]) -> str:
    """The columns that the files have, as they name them."""
    return ", ".join(dict.fromkeys(name for row in drafts for name in row.shown.values()))


def filtered(drafts: Sequence[Draft], where: Mapping[str, str]) -> list[Draft]:
    """The rows whose columns have these values, case and spaces forgiven; of a list, one value is enough.

    Raises CorpusError, showing the values present, where nothing matches.
    """
    if not where:
        return list(drafts)
    known(where, drafts, "--where")
    asked = {compared(column): compared(str(value)) for column, value in where.items()}
    kept = [
        row
        for row in drafts
        if all(any(compared(v) == value for v in row.columns.get(column, ())) for column, value in asked.items())
    ]
    if drafts and not kept:
        shown = "; ".join(f"{column}: {_values(drafts, compared(column))}" for column in where)
        given = " ".join(f"{column}={value}" for column, value in where.items())
        raise CorpusError(f"--where {given} matches none of {len(drafts)} rows; the values present are {shown}.")
    return kept


def _values(drafts: Sequence[Draft], column: str) -> str:
    counts = Counter(value for row in drafts for value in row.columns.get(column, ()))
    shown = ", ".join(f"{value or '(empty)'} ({count})" for value, count in counts.most_common(12))
    return shown + (f" and {len(counts) - 12} more" if len(counts) > 12 else "")
