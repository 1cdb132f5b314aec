"""Distances of voice as dots beside the poet's own range: 1 is as close as the poet's own unseen poems."""

import math
from collections.abc import Callable, Sequence
from html import escape

from poetune.score.contents import VoiceRow, VoiceTable

_COLOURS = ("#9a7b4f", "#a3361f", "#2f6690", "#6b7a2f", "#7a4f7a", "#444444")
_FARTHEST = 8.0  # times the poet's own distance; what lies beyond stands at the edge with an arrow


def dots(table: VoiceTable, width: int = 640, css: str = "curve") -> str:
    """An SVG, a line for each distance, a dot for each set of poems; "" where nothing was measured."""
    rows = [row for row in table.rows if row.kind == "distance" and row.values[0] and row.band]
    sets = table.columns[1:]
    if not rows or not any(value is not None for row in rows for value in row.values[1:]):
        return ""
    left = 150 if width >= 500 else 118
    right, step = 18, 34
    far = min(_FARTHEST, max(2.0, *(v / (row.values[0] or 1) for row in rows for v in row.values[1:] if v is not None)))
    legend = _legend(sets, left if width >= 500 else 8, width)
    top = 26 + 20 * max((y for _, y, _ in legend), default=0)
    height = top + step * len(rows) + 44

    def x(times: float) -> float:
        return round(left + (width - left - right) * min(times, far) / far, 1)

    out = [
        f'<svg class="{escape(css)}" viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg"'
        ' font-size="13" fill="currentColor"><title>Distance from the poet, in units of the poet\'s own</title>'
    ]
    for i, (name, (at, line, _)) in enumerate(zip(sets, legend, strict=True)):
        out.append(_dot(at + 6, 14 + 20 * line, i))
        out.append(f'<text x="{at + 18}" y="{18.5 + 20 * line}">{escape(name)}</text>')
    floor = top + step * len(rows)
    for times in range(int(far) + 1):
        style = 'opacity=".55" stroke-dasharray="3 3"' if times == 1 else 'opacity=".14"'
        out.append(f'<line x1="{x(times)}" x2="{x(times)}" y1="{top}" y2="{floor}" stroke="currentColor" {style}/>')
        out.append(f'<text x="{x(times)}" y="{floor + 18}" text-anchor="middle" opacity=".75">{times}</text>')
    for i, row in enumerate(rows):
        out += _row(row, top + step * i + step / 2, left, x, far)
    name = "times the poet’s own distance; dashed: as close as the poet’s own unseen poems"
    short = "dashed: the poet’s own unseen poems"
    out.append(
        f'<text x="{width - right if width < 500 else (left + width - right) / 2:.0f}" y="{floor + 38}" '
        f'text-anchor="{"end" if width < 500 else "middle"}" opacity=".75">{name if width >= 500 else short}</text>'
    )
    return "\n".join([*out, "</svg>"])


def _row(row: VoiceRow, y: float, left: int, x: Callable[[float], float], far: float) -> list[str]:
    own = row.values[0] or 1.0
    low, high = row.band or (own, own)
    out = [
        f'<text x="{left - 10}" y="{y + 4.5}" text-anchor="end">{escape(row.figure)}</text>',
        f'<rect x="{x(low / own)}" y="{y - 8}" width="{max(2.0, x(high / own) - x(low / own)):.1f}" height="16" rx="3" '
        'style="fill:var(--band,#9a7b4f);opacity:.28"/>',
    ]
    for i, value in enumerate(row.values[1:]):
        if value is None or not math.isfinite(value):
            continue
        times = value / own
        out.append(_dot(x(times), y, i))
        if times > far + 1e-9:
            out.append(f'<text x="{x(far) - 9}" y="{y - 7}" text-anchor="end" font-size="11">{times:.0f} →</text>')
    return out


def _dot(x: float, y: float, i: int) -> str:
    """Filled, ringed and square in turn, so that colour is not all that tells them apart."""
    colour = f"var(--dot-{i % 6 + 1},{_COLOURS[i % 6]})"
    if i % 3 == 2:
        return f'<rect x="{x - 4.5}" y="{y - 4.5}" width="9" height="9" style="fill:{colour}"/>'
    fill = colour if i % 3 == 0 else "var(--paper,#fff)"
    return f'<circle cx="{x}" cy="{y}" r="5" style="fill:{fill};stroke:{colour};stroke-width:2.2"/>'


def _legend(names: Sequence[str], left: int, width: int) -> list[tuple[int, int, str]]:
    at, line, out = left, 0, []
    for name in names:
        wide = 34 + round(7.2 * sum(2 if ord(c) > 0x2E80 else 1 for c in name))
        if at > left and at + wide > width:
            at, line = left, line + 1
        out.append((at, line, name))
        at += wide
    return out
