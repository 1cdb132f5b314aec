"""Decided poems as files: plain text, JSON lines, a table. Text goes out as it is kept, character for character."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from poetune.review.gallery import COLUMNS, Entry

BETWEEN = "\n\n* * *\n\n"


def as_text(found: Iterable[Entry]) -> str:
    """Title, an empty line, the poem; a line of stars between poems."""
    return BETWEEN.join(f"{entry.title}\n\n{entry.text}" if entry.title else entry.text for entry in found) + "\n"


def as_jsonl(found: Iterable[Entry]) -> str:
    """One object a line, with all that is known of the poem."""
    return jsonl(asdict(entry) for entry in found)


def jsonl(rows: Iterable[dict[str, Any]]) -> str:
    """JSON lines in UTF-8; the marks at which some readers would break a line are escaped."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return "".join(f"\\u{ord(c):04x}" if c in "\x85\u2028\u2029" else c for c in text)


def as_csv(found: Iterable[Entry]) -> str:
    """The same as a table (RFC 4180); reasons and scores as JSON."""
    sink = io.StringIO(newline="")
    table = csv.writer(sink)
    table.writerow(COLUMNS)
    for entry in found:
        row = asdict(entry)
        row["reasons"], row["scores"] = (json.dumps(row[name], ensure_ascii=False) for name in ("reasons", "scores"))
        table.writerow([row[name] for name in COLUMNS])
    return sink.getvalue()
