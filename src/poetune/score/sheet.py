"""A sheet: one part of the report as a table of figures with their meanings, its drawings, and what is to be said."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from poetune.score.chart import Chart

Form = Literal["count", "number", "share", "signed", "tenth"]
Value = float | tuple[float, float, float] | None  # a figure, a figure with its interval, or none


@dataclass(frozen=True, slots=True)
class Column:
    """A figure's name, its meaning in one line, and how it is shown: `share` in per cent, `signed` with + or −."""

    name: str
    meaning: str
    form: Form = "number"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A part of the report. `rows` are (label, a value for each column); `said` are sentences below the table."""

    name: str
    heading: str
    lead: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Value, ...]], ...]
    charts: tuple[Chart, ...] = ()
    said: tuple[str, ...] = ()
    of: str = "poems by"


def figures(sheet: Sheet) -> Iterator[tuple[str, str, str, float, str]]:
    """The sheet's figures as rows of the CSV, an interval as two of its own."""
    for label, values in sheet.rows:
        for column, value in zip(sheet.columns, values, strict=True):
            unit = "share" if column.form in ("share", "tenth") else ""
            if isinstance(value, tuple):
                for end, each in zip(("", " (low)", " (high)"), value, strict=True):
                    yield sheet.name, label, column.name + end, each, unit
            elif value is not None:
                yield sheet.name, label, column.name, value, unit
    for drawn in sheet.charts:
        for line in drawn.lines:
            for across, up in line.points:
                yield sheet.name, line.name, f"{drawn.up} at {drawn.across} {across:g}", up, ""
