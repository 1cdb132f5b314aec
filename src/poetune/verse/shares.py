"""How sure a share is."""

import math

_Z = 1.959964  # 95 %


def wilson(part: float, whole: int) -> tuple[float, float] | None:
    """The score interval of a share at 95 % (Wilson 1927); None of nothing. `part` may hold halves, for ties."""
    if whole < 1:
        return None
    p, z = part / whole, _Z**2 / whole
    middle, half = (p + z / 2) / (1 + z), math.sqrt(z * (p * (1 - p) + z / 4)) / (1 + z)
    return max(0.0, middle - half), min(1.0, middle + half)
