"""Tables in aligned plain text."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Lines of cells under `head`, the first `left` columns to the left, figures to the right."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def figure(value: float | None, places: int = 3) -> str:
    """A figure as it is shown, a dash where there is none."""
    return "-" if value is None else f"{value:,.{places}f}" if abs(value) < 1e6 else f"{value:.1e}"
