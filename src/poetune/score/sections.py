"""The parts of the report as HTML fragments: pairs, tables, the lineage and what it took."""

from collections.abc import Sequence
from html import escape

from poetune.score.contents import Copying, Cost, Link, LossRow, Offence, Pair, VoiceRow, VoiceTable
from poetune.score.dots import dots
from poetune.score.losses import cells
from poetune.score.resampling import DRAWS
from poetune.score.typeset import lang, poem

_LANGUAGES = {"en": "English poems", "zh": "Chinese poems"}


def pair(shown: Pair) -> str:
    """Base and tuned side by side under the prompt they share."""
    facts = [f"<b{lang(shown.theme)}>{escape(shown.theme)}</b>"] if shown.theme else []
    facts += [f"<span>{escape(shown.template)}</span>"] if shown.template else []
    facts.append(f"<span>seed {shown.seed}</span>")
    if shown.value is not None:
        facts.append(f"<span>rating {shown.value:.2f}</span>".replace("rating -", "rating −"))
    return (
        f'<div class="pair"><header>{" ".join(facts)}</header>'
        f'<div class="side before"><p class="label">before</p>{poem(shown.base, 4)}</div>'
        f'<div class="side after"><p class="label">after</p>{poem(shown.tuned, 4)}</div></div>'
    )


def loss_table(rows: Sequence[LossRow]) -> str:
    """Model, split and losses, with what the figures mean."""
    if not rows:
        return ""
    names = ("texts", "tokens", "loss", "perplexity", "bits/byte")
    head = "<th>model</th><th>split</th>" + "".join(f'<th class="n">{name}</th>' for name in names)
    out = []
    for row in rows:
        model, split, *figures = cells(row)
        numbers = "".join(
            f'<td class="n" data-of="{name}">{figure}</td>' for name, figure in zip(names, figures, strict=True)
        )
        out.append(f'<tr><th{lang(model)}>{escape(model)}</th><td data-of="split">{escape(split)}</td>{numbers}</tr>')
    return _table(head, out) + (
        '<p class="small">Loss is nats per token: how surprised the model is by each next token of poems; lower is '
        "better. Bits per byte is the same surprise spread over the text, so that models with different tokenizers "
        "can be compared.</p>"
    )


def voice(tables: Sequence[VoiceTable]) -> str:
    """Each figure with its meaning in one line; the sample nearer to the poet is bold.

    Beside a distance stands what it has above the poet's own, and beside the poet's own its range.
    """
    out = []
    for table in tables:
        head = "<th></th>" + "".join(f'<th class="n">{escape(column)}</th>' for column in table.columns)
        caption = _LANGUAGES.get(table.language, table.language) if len(tables) > 1 else ""
        if table.said:
            out.append(f'<p class="small">{escape(table.said)}</p>')
            continue
        wide, narrow = dots(table, css="curve wide"), dots(table, 360, "curve narrow")
        out.append(f"<figure>{wide}{narrow}</figure>" if wide else "")
        out.append(_table(head, [_voice_row(table.columns, row) for row in table.rows], caption))
    measured = [table for table in tables if not table.said]
    if not measured:
        return "".join(out)
    sizes = " and ".join(dict.fromkeys(f"{table.drawn:,}" for table in measured))
    return "".join(out) + (
        f'<p class="small">Bold: nearer to the poet. The distances are means over {DRAWS} draws that take '
        f"{sizes} poems of each set and measure from other poems of the poet. The poet’s own column holds the poet’s "
        "poems drawn in the same way, with the range of nine in ten draws; the small figure is what a sample has above "
        "it: at +0.00 poems stand as near as the poet’s own.</p>"
    )


def copying(found: Copying | None) -> str:
    """Share of copied lines, then the poems that copy most with the poems they took from."""
    if found is None or not found.rows:
        return ""
    head = "<th>poems by</th>" + "".join(f'<th class="n">{name}</th>' for name in ("poems", "lines", "copied", "share"))
    rows = [
        f'<tr><th>{escape(row.label)}</th><td class="n" data-of="poems">{row.poems:,}</td>'
        f'<td class="n" data-of="lines">{row.lines:,}</td><td class="n" data-of="copied">{row.copied:,}</td>'
        f'<td class="n" data-of="share">{row.share:.1%}</td></tr>'
        for row in found.rows
    ]
    lead = '<p class="lead">Lines that stand word for word in a poem the model was trained on.</p>'
    worst = "".join(map(_offence, found.worst)) or '<p class="small">No poem copies a line.</p>'
    return lead + _table(head, rows) + worst


def lineage(links: Sequence[Link]) -> str:
    """From the corpus to the checkpoint, each with its hash."""
    items = "".join(
        f'<li><span class="what">{escape(link.what)}</span> <code>{escape(link.id)}</code>'
        + (f"<p{lang(link.says)}>{escape(link.says)}</p>" if link.says else "")
        + "</li>"
        for link in links
    )
    return f'<ol class="chain">{items}</ol>' if items else ""


def cost(costs: Sequence[Cost]) -> str:
    """Time, memory and counts."""
    items = "".join(f"<dt>{escape(c.what)}</dt><dd>{escape(amount(c))}</dd>" for c in costs)
    return f"<dl>{items}</dl>" if items else ""


def notes(texts: Sequence[str]) -> str:
    """What a reader should bear in mind."""
    inner = "".join(f"<p{lang(text)}>{escape(text)}</p>" for text in texts)
    return f'<div class="notes">{inner}</div>' if inner else ""


def amount(cost: Cost) -> str:
    """An amount in words: 134 s is "2 min 14 s", bytes and parameters in thousands."""
    if cost.unit == "s":
        whole = round(cost.amount)
        if whole < 60:
            return f"{cost.amount:.1f} s"
        hours, minutes, seconds = whole // 3600, whole % 3600 // 60, whole % 60
        return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"
    if cost.unit in ("bytes", "parameters"):
        sign = "B" if cost.unit == "bytes" else " parameters"
        for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if cost.amount >= size:
                spelled = {"G": " billion", "M": " million", "k": " thousand"}[prefix]
                return f"{cost.amount / size:.1f}{f' {prefix}{sign}' if sign == 'B' else spelled + sign}"
        return f"{cost.amount:,.0f} {cost.unit}"
    return f"{cost.amount:,.10g} {cost.unit}".strip()


def _voice_row(columns: Sequence[str], row: VoiceRow) -> str:
    nearest = _nearest(row)
    shown = []
    for i, (column, value, above) in enumerate(zip(columns, row.values, row.excess, strict=True)):
        figure = "–" if value is None else f"{value:,.0f}" if row.kind == "count" else f"{value:.2f}"
        if above is not None:
            figure += f" <small>{above:+.2f}</small>".replace("-", "−")
        elif row.band and not i:
            figure += f" <small>{row.band[0]:.2f}–{row.band[1]:.2f}</small>"
        figure = f"<b>{figure}</b>" if i in nearest else f"<span>{figure}</span>"
        shown.append(f'<td class="n" data-of="{escape(column)}">{figure}</td>')
    return f'<tr><th>{escape(row.figure)}<span class="means">{escape(row.meaning)}</span></th>{"".join(shown)}</tr>'


def _nearest(row: VoiceRow) -> set[int]:
    """Columns after the first whose value, as shown, is nearest to the poet; none where all are the same."""
    poet = row.values[0]
    if row.kind == "count" or (row.kind == "level" and poet is None):
        return set()
    gaps = {
        i: round(value if row.kind == "distance" else abs(value - (poet or 0.0)), 2)
        for i, value in enumerate(row.values)
        if i and value is not None
    }
    least = min(gaps.values(), default=0.0)
    return {i for i, gap in gaps.items() if gap == least} if len(set(gaps.values())) > 1 else set()


def _offence(offence: Offence) -> str:
    title = offence.title or "untitled"
    lines = "".join(
        f"<li><span{lang(c.line)}>{escape(c.line)}</span> "
        f'<span class="from">— in <cite{lang(c.source)}>{escape(c.source)}</cite></span></li>'
        for c in offence.copied
    )
    return (
        f'<div class="offence"><p><cite{lang(title)}>{escape(title)}</cite> '
        f'<span class="from">by {escape(offence.label)}: {len(offence.copied)} of {offence.lines} lines</span></p>'
        f"<ul>{lines}</ul></div>"
    )


def _table(head: str, rows: Sequence[str], caption: str = "") -> str:
    top = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll cards"><table>{top}{body}</table></div>'
