"""How long the rest of a queue will take at this reader's pace."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median

WINDOW = 30  # acts: a reader's pace changes over an hour
_PAUSE = 300.0  # seconds; a longer gap was a break, not a reading
_FEWEST = 3


def seconds_left(times: Sequence[str], remaining: int) -> float | None:
    """Median seconds between the latest acts (ISO 8601 times), times the poems `remaining`; None while unknown."""
    moments = [datetime.fromisoformat(t) for t in times[-WINDOW:] if t]
    gaps = [(b - a).total_seconds() for a, b in pairwise(moments)]
    read = [gap for gap in gaps if 0 <= gap <= _PAUSE]
    return median(read) * remaining if len(read) >= _FEWEST else None
