"""Sheets as HTML."""

from collections.abc import Sequence
from html import escape

from poetune.score.chart import Chart, chart, height_of
from poetune.score.sheet import Form, Sheet, Value
from poetune.score.typeset import lang


def html(sheet: Sheet) -> str:
    """Drawings, table, meanings, sentences; "" where there is neither a row nor a sentence."""
    if not sheet.rows and not sheet.said:
        return ""
    drawn = "".join(drawing(each) for each in sheet.charts)
    said = "".join(f'<p class="small"{lang(text)}>{escape(text)}</p>' for text in sheet.said)
    return f'<p class="lead">{escape(sheet.lead)}</p>{drawn}{_table(sheet) if sheet.rows else ""}{said}'


def shown(value: Value, form: Form) -> str:
    """A value as it is printed; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return f"{shown(value[0], form)} <small>{shown(value[1], form)} to {shown(value[2], form)}</small>"
    text = {
        "count": f"{value:,.0f}",
        "number": f"{value:,.2f}",
        "share": f"{value:.0%}",
        "tenth": f"{value:.1%}",
        "signed": f"{value:+.2f}",
    }[form]
    return text.replace("-", "−").replace("%", " %")


def drawing(drawn: Chart) -> str:
    """A chart with its title, for wide and for narrow pages; "" where there is nothing to draw."""
    wide, narrow = chart(drawn, 640, height_of(drawn), "curve wide"), chart(drawn, 360, 300, "curve narrow")
    return f"<figure><figcaption>{escape(drawn.title)}</figcaption>{wide}{narrow}</figure>" if wide else ""


def _table(sheet: Sheet) -> str:
    head = f"<th>{escape(sheet.of)}</th>" + "".join(f'<th class="n">{escape(c.name)}</th>' for c in sheet.columns)
    rows = "".join(f"<tr><th{lang(label)}>{escape(label)}</th>{_cells(sheet, v)}</tr>" for label, v in sheet.rows)
    meanings = "".join(f"<dt>{escape(c.name)}</dt><dd>{escape(c.meaning)}</dd>" for c in sheet.columns if c.meaning)
    return (
        f'<div class="scroll cards sheet"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<dl class="meanings">{meanings}</dl>'
    )


def _cells(sheet: Sheet, values: Sequence[Value]) -> str:
    return "".join(
        f'<td class="n" data-of="{escape(c.name)}"><span>{shown(v, c.form)}</span></td>'
        for c, v in zip(sheet.columns, values, strict=True)
    )
