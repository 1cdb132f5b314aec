"""CSV and TSV. A row that cannot be read is named and skipped, and reading goes on at the next whole row."""

import re
from collections import Counter
from collections.abc import Iterator

from poetune.corpus import dialogue
from poetune.corpus.intake import Findings, Row

Shape = tuple[bool, ...]


class _Fields:
    """One field at a position, for a delimiter: quoted (with doubled or backslashed quotes) or bare."""

    def __init__(self, delimiter: str) -> None:
        end = rf" *(?:(?P<next>{re.escape(delimiter)})|\n|\Z)"
        self._quoted = re.compile(rf' *"(?P<body>(?:[^"]++|"")*+)"{end}')
        self._slashed = re.compile(rf' *"(?P<body>(?:[^"\\]++|\\.|"")*+)"{end}', re.DOTALL)
        self._bare = re.compile(rf"(?P<body>[^{re.escape(delimiter)}\n]*+){end}")
        self._opens = re.compile(r' *"')

    def row(self, text: str, at: int) -> tuple[list[str], Shape, int] | None:
        """Fields, which of them were quoted, and where the next row starts; None if a quote is not closed rightly."""
        fields: list[str] = []
        shape: list[bool] = []
        while True:
            quoted = self._opens.match(text, at) is not None
            found = self._quoted.match(text, at) if quoted else self._bare.match(text, at)
            if found is None and quoted:
                found = self._slashed.match(text, at)
                if found is None:
                    return None
                body = re.sub(r'\\(["\\])|""', lambda m: m[1] or '"', found["body"])
            else:
                assert found is not None
                body = found["body"].replace('""', '"') if quoted else found["body"]
            fields.append(body)
            shape.append(quoted)
            at = found.end()
            if found["next"] is None:
                return fields, tuple(shape), at


def delimiter_of(header: str) -> str:
    """The delimiter that parts the header line most often; a comma where there is one column."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max((",", "\t", ";", "|"), key=bare.count)


def rows(name: str, text: str, findings: Findings, delimiter: str = "") -> Iterator[Row]:
    """The data rows of a table, numbered from 1, with the names of the first line."""
    text = text.lstrip("\n")
    head, _, _ = text.partition("\n")
    if head.lower().startswith("sep=") and len(head) == 5:  # Excel's own hint
        delimiter, text = head[4], text[6:]
        head, _, _ = text.partition("\n")
    fields = _Fields(delimiter or delimiter_of(head))
    first = fields.row(text, 0)
    if first is None:
        findings.skip(name, 0, "its first line, the column names, has an open quote; close it")
        return
    columns = [column.strip() or f"unnamed {i}" for i, column in enumerate(first[0], 1)]
    shapes: Counter[Shape] = Counter()
    at, number, broken = first[2], 0, 0
    if len(columns) == 1 and dialogue.opens(columns[0]):  # conversations with no line of names above them
        columns, at = ["text"], 0
    while at < len(text):
        parsed = fields.row(text, at)
        values = _fit(parsed[0], len(columns)) if parsed else None
        # After a broken row its leftover lines may look like rows: only shapes seen before are believed.
        quoted = any(any(shape) for shape in shapes)
        if values is None or (broken and quoted and parsed and parsed[1] not in shapes):
            if parsed and parsed[0] == [""]:
                at = parsed[2]
                continue
            if not broken:
                number += 1
                broken = text.count("\n", 0, at) + 1
                wanted = f"{len(columns)} fields as in the header"
                why = f"has {len(parsed[0])} fields instead of {wanted}" if parsed else "has a quote that is not closed"
                findings.skip(
                    name, number, f"line {broken} {why}; quote texts that hold the delimiter, double their quotes"
                )
            at = _next_line(text, at)
            continue
        assert parsed is not None
        broken = 0
        number += 1
        shapes[parsed[1]] += 1
        at = parsed[2]
        yield Row(name, number, dict(zip(columns, values, strict=True)))


def _fit(fields: list[str], wanted: int) -> list[str] | None:
    while len(fields) > wanted and not fields[-1].strip():
        fields = fields[:-1]
    return (
        fields if len(fields) == wanted and (wanted == 1 or any(f.strip() for f in fields)) and fields != [""] else None
    )


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1
