"""Several lines in one frame as an inline SVG, with a band where there is one; colours from the page's variables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from poetune.score.axes import BOTTOM, LEFT, NARROW, RIGHT, Frame, axes, ticks

_STYLES = tuple(
    f"stroke:var(--line-{i},{colour});stroke-dasharray:{dash}"
    for i, (colour, dash) in enumerate(
        (("#a3361f", "none"), ("#2f6690", "none"), ("#6b7a2f", "7 3"), ("#9a7b4f", "2 3"), ("#7a4f7a", "9 3 2 3"),
         ("#444444", "4 4")), 1)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A named line; points are (across, up)."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a drawing shows. `band` is a range on the upward axis under its name; `percent` shows shares as per cent."""

    title: str
    across: str
    up: str
    lines: tuple[Line, ...]
    band: tuple[float, float] | None = None
    band_name: str = ""
    percent: bool = False


def chart(shown: Chart, width: int = 640, height: int = 260, css: str = "curve") -> str:
    """An SVG of `width` x `height` units; "" where no line has a point."""
    lines = [Line(line.name, tuple(p for p in line.points if all(map(math.isfinite, p)))) for line in shown.lines]
    points = [point for line in lines for point in line.points]
    if not points:
        return ""
    ups = [y for _, y in points] + list(shown.band or ())
    low = min(0.0, *ups) if shown.percent or min(ups) < 0.35 * max(ups) else min(ups)
    xs = [x for x, _ in points]
    frame = Frame(
        width,
        height,
        ticks(min(0.0, *xs), max(xs), 4 if width < NARROW else 6, whole=True),
        ticks(low, max(ups), 4),
    )
    named = [line for line in lines if line.points]
    frame.top = _legend_height(named, shown, width)
    parts = [
        f'<svg class="{escape(css)}" viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg"'
        f' font-size="13" fill="currentColor"><title>{escape(shown.title)}</title>',
        *_band(frame, shown),
        *axes(frame, shown.across, shown.up, shown.percent),
        *(part for i, line in enumerate(named) for part in _line(frame, line, _STYLES[i % len(_STYLES)])),
        *_legend(named, shown, width),
    ]
    return "\n".join([*parts, "</svg>"])


def _band(frame: Frame, shown: Chart) -> list[str]:
    if shown.band is None:
        return []
    top, bottom = min(frame.y(shown.band[1]), frame.y(shown.band[0]) - 3), frame.y(shown.band[0])
    wide = frame.width - LEFT - RIGHT
    return [f'<rect x="{LEFT}" y="{top}" width="{wide}" height="{max(3.0, bottom - top):.1f}" style="{_BAND}"/>']


_BAND = "fill:var(--band,#9a7b4f);opacity:.22"


def _line(frame: Frame, line: Line, style: str) -> list[str]:
    at = [(frame.x(x), frame.y(y)) for x, y in sorted(line.points)]
    path = " ".join(f"{x},{y}" for x, y in at)
    dots = [f'<circle cx="{x}" cy="{y}" r="2.6" style="{style};fill:var(--paper,#fff)"/>' for x, y in at]
    drawn = f'<polyline points="{path}" fill="none" style="{style};stroke-width:2;stroke-linejoin:round"/>'
    return [drawn, *dots] if len(at) < 14 else [drawn]


def _entries(lines: Sequence[Line], shown: Chart) -> list[tuple[str, str]]:
    found = [(line.name, _STYLES[i % len(_STYLES)]) for i, line in enumerate(lines)] if len(lines) > 1 else []
    return found + ([(shown.band_name, "")] if shown.band and shown.band_name else [])


def _places(lines: Sequence[Line], shown: Chart, width: int) -> list[tuple[int, int]]:
    """Where each entry of the legend stands, wrapped to the width."""
    x, y, out = LEFT, 14, []
    for name, _ in _entries(lines, shown):
        wide = 44 + round(7.2 * sum(2 if ord(c) > 0x2E80 else 1 for c in name))
        if x > LEFT and x + wide > width - RIGHT:
            x, y = LEFT, y + 20
        out.append((x, y))
        x += wide
    return out


def _legend_height(lines: Sequence[Line], shown: Chart, width: int) -> int:
    places = _places(lines, shown, width)
    return places[-1][1] + 22 if places else 16


def _legend(lines: Sequence[Line], shown: Chart, width: int) -> list[str]:
    out = []
    for (name, style), (x, y) in zip(_entries(lines, shown), _places(lines, shown, width), strict=True):
        if style:
            out.append(f'<line x1="{x}" x2="{x + 22}" y1="{y}" y2="{y}" style="{style};stroke-width:2.5"/>')
        else:
            out.append(f'<rect x="{x}" y="{y - 6}" width="22" height="12" style="{_BAND}"/>')
        out.append(f'<text x="{x + 28}" y="{y + 4.5}">{escape(name)}</text>')
    return out


def height_of(shown: Chart) -> int:
    """A height that leaves room for the legend and the foot."""
    return 214 + BOTTOM + 10 * max(0, len(shown.lines) - 3)
