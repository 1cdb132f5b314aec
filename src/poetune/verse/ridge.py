"""Regularised least squares in its dual form, with the exact leave-one-out values (Rifkin and Lippert, 2007)."""

from dataclasses import dataclass

import numpy as np

from poetune.verse.stylespace import Array

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """`weights` (features, targets) and `offset` (targets) of a linear map; `held_out` (rows, targets) are the values
    that each row gets from a fit to all the others."""

    weights: Array
    offset: Array
    held_out: Array

    def of(self, points: Array) -> Array:
        """Values of other points, (points, targets)."""
        return points @ self.weights + self.offset


def fitted(points: Array, targets: Array) -> Fitted:
    """The fit with the least held-out squared error over STRENGTHS. `points` (rows, features), `targets` (rows, k)."""
    values, vectors = np.linalg.eigh(points @ points.T + 1.0)
    turned, squares = vectors.T @ targets, vectors**2
    best: tuple[float, Array, Array] | None = None
    for strength in STRENGTHS:
        shrunk = 1 / (values.clip(min=0) + strength)
        duals = vectors @ (shrunk[:, None] * turned)
        held_out = targets - duals / (squares @ shrunk)[:, None]
        error = float(((held_out - targets) ** 2).mean())
        if best is None or error < best[0]:
            best = (error, duals, held_out)
    assert best is not None
    return Fitted(points.T @ best[1], best[1].sum(0), best[2])
