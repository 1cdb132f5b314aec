"""The training and validation curve as an inline SVG: own drawing, no script, colours from the page's variables."""

import math
from collections.abc import Sequence
from html import escape

from poetune.score.axes import BOTTOM, LEFT, NARROW, RIGHT, Frame, axes, ticks
from poetune.score.contents import Point

_TRAIN = "stroke:var(--train,#9a7b4f)"
_VALIDATION = "stroke:var(--validation,#a3361f)"


def curve(points: Sequence[Point], width: int = 640, height: int = 300, css: str = "curve") -> str:
    """An SVG of `width` x `height` units with axes, a legend and the best validation loss marked; "" without points."""
    train = [(p.step, p.train) for p in points if p.train is not None and math.isfinite(p.train)]
    validation = [(p.step, p.validation) for p in points if p.validation is not None and math.isfinite(p.validation)]
    both = train + validation
    if not both:
        return ""
    steps = ticks(0, max(step for step, _ in both), 4 if width < NARROW else 6, whole=True)
    losses = ticks(min(loss for _, loss in both), max(loss for _, loss in both), 5)
    frame = Frame(width, height, steps, losses)
    best = min(validation, key=lambda point: (point[1], point[0])) if validation else None
    said = f"Lowest validation loss {best[1]:.3f} at step {best[0]}." if best else "No validation loss was measured."
    parts = [
        f'<svg class="{escape(css)}" viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg"'
        ' font-size="13" fill="currentColor">',
        f"<title>Loss by training step</title><desc>{escape(said)}</desc>",
        *axes(frame),
        *_series(frame, sorted(train), _TRAIN, 1.5),
        *_series(frame, sorted(validation), _VALIDATION, 2.2),
        *_legend(bool(train), bool(validation)),
    ]
    if best:
        parts += _mark(frame, best)
    return "\n".join([*parts, "</svg>"])


def _series(frame: Frame, points: Sequence[tuple[int, float]], style: str, weight: float) -> list[str]:
    if not points:
        return []
    if len(points) == 1:
        x, y = frame.x(points[0][0]), frame.y(points[0][1])
        return [f'<circle cx="{x}" cy="{y}" r="3" fill="none" style="{style};stroke-width:{weight}"/>']
    path = " ".join(f"{frame.x(step)},{frame.y(loss)}" for step, loss in points)
    return [f'<polyline points="{path}" fill="none" style="{style};stroke-width:{weight};stroke-linejoin:round"/>']


def _legend(train: bool, validation: bool) -> list[str]:
    out, x = [], LEFT
    for there, name, style in ((train, "training", _TRAIN), (validation, "validation", _VALIDATION)):
        if there:
            out.append(f'<line x1="{x}" x2="{x + 22}" y1="14" y2="14" style="{style};stroke-width:2.5"/>')
            out.append(f'<text x="{x + 28}" y="18.5">{name}</text>')
            x += 106
    return out


def _mark(frame: Frame, best: tuple[int, float]) -> list[str]:
    """A ring on the curve, a dotted line down to its step, and its figures beside the legend, where no line runs."""
    x, y = frame.x(best[0]), frame.y(best[1])
    floor = frame.height - BOTTOM
    ring = f"fill:var(--paper,#fff);{_VALIDATION};stroke-width:2.2"
    cx, cy, tx, anchor = frame.width - RIGHT, 14, frame.width - RIGHT - 12, "end"
    if frame.width < NARROW:
        cx, cy, tx, anchor = LEFT + 11, 38, LEFT + 28, "start"
    return [
        f'<line x1="{x}" x2="{x}" y1="{y}" y2="{floor}" stroke="currentColor" opacity=".4" stroke-dasharray="2 4"/>',
        f'<circle cx="{x}" cy="{y}" r="5" style="{ring}"/>',
        f'<circle cx="{cx}" cy="{cy}" r="5" style="{ring}"/>',
        f'<text x="{tx}" y="{cy + 4.5}" text-anchor="{anchor}">best {best[1]:.3f} at step {best[0]:,}</text>',
    ]
