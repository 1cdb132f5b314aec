"""Round figures for axes, and the frame that maps them to a drawing's units."""

import math
from collections.abc import Sequence
from html import escape

LEFT, RIGHT, BOTTOM = 60, 16, 46
NARROW = 500


def ticks(low: float, high: float, about: int, whole: bool = False) -> list[float]:
    """Round figures (1, 2 or 5 x 10^n apart) that enclose `low` to `high`, roughly `about` of them."""
    size = max(abs(low), abs(high)) or 1.0
    span = high - low if high - low > 1e-6 * size else size  # flat, or apart by no more than rounding
    raw = max(span, 1e-6) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    if whole:
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if first == last:
        last += 1
    return [round(i * step, 10) for i in range(first, last + 1)]


class Frame:
    """Maps steps and losses to the drawing's units."""

    def __init__(self, width: int, height: int, steps: Sequence[float], losses: Sequence[float]) -> None:
        self.width, self.height, self.steps, self.losses = width, height, steps, losses
        self.top = 62 if width < NARROW else 40

    def x(self, step: float) -> float:
        """Across, in the drawing's units."""
        inner = self.width - LEFT - RIGHT
        return round(LEFT + inner * (step - self.steps[0]) / (self.steps[-1] - self.steps[0]), 1)

    def y(self, loss: float) -> float:
        """Downward, in the drawing's units."""
        inner = self.height - self.top - BOTTOM
        return round(self.height - BOTTOM - inner * (loss - self.losses[0]) / (self.losses[-1] - self.losses[0]), 1)


def axes(
    frame: Frame, across: str = "training step", up: str = "loss (nats per token)", percent: bool = False
) -> list[str]:
    """Grid, figures and names of both axes."""
    right, floor = frame.width - RIGHT, frame.height - BOTTOM
    gap = frame.losses[1] - frame.losses[0]
    places = max(0, -math.floor(math.log10(gap) + 1e-9))
    out = []
    for loss in frame.losses:
        y = frame.y(loss)
        out.append(f'<line x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="currentColor" opacity=".14"/>')
        said = _figure(loss, places, percent)
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" opacity=".75">{said}</text>')
    for step in frame.steps:
        x = frame.x(step)
        out.append(f'<line x1="{x}" x2="{x}" y1="{floor}" y2="{floor + 5}" stroke="currentColor" opacity=".5"/>')
        anchor = "end" if step == frame.steps[-1] and x > right - 12 else "middle"
        out.append(f'<text x="{x}" y="{floor + 19}" text-anchor="{anchor}" opacity=".75">{step:,.0f}</text>')
    out.append(f'<line x1="{LEFT}" x2="{right}" y1="{floor}" y2="{floor}" stroke="currentColor" opacity=".5"/>')
    middle = (LEFT + right) / 2
    out.append(
        f'<text x="{middle:.0f}" y="{frame.height - 8}" text-anchor="middle" opacity=".75">{escape(across)}</text>'
    )
    out.append(
        f'<text transform="translate(13 {(frame.top + floor) / 2:.0f}) rotate(-90)" text-anchor="middle" opacity=".75">'
        f"{escape(up)}</text>"
    )
    return out


def _figure(value: float, places: int, percent: bool) -> str:
    return f"{value * 100:.{max(0, places - 2)}f} %" if percent else f"{value:.{places}f}"
