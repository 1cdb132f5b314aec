"""Plackett-Luce with covariates, fitted by Newton's method for many weightings of the rankings at once, in numpy.

In one showing a poem's pull is its strength plus its covariates times their effects; the ranking is drawn by pull,
place after place (Plackett 1975). Priors are normal, so that the posterior has one peak and all stays finite.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Fit:
    """`strength` is (replicates, poems), `effect` (replicates, covariates)."""

    strength: Floats
    effect: Floats


class Rankings:
    """Rankings of poems 0..count-1, best first; `given[i]` holds (places, columns) covariates of ranking i."""

    def __init__(self, rankings: Sequence[Sequence[int]], given: Sequence[Floats], count: int, columns: int) -> None:
        longest = max((len(r) for r in rankings), default=1)
        self.count, self.number, self.columns = count, len(rankings), columns
        self.at: Slots = np.zeros((len(rankings), longest), dtype=np.intp)
        self.shown: Floats = np.zeros((len(rankings), longest))
        self.given: Floats = np.zeros((len(rankings), longest, columns))
        for i, ranking in enumerate(rankings):
            self.at[i, : len(ranking)] = ranking
            self.shown[i, : len(ranking)] = 1.0
            self.given[i, : len(ranking)] = given[i]
        left = np.cumsum(self.shown[:, ::-1], axis=1)[:, ::-1]
        self.choices: Floats = (left > 1.5).astype(float)  # the last place is no choice
        flat = self.at.ravel()
        self._order = np.argsort(flat, kind="stable")
        self._poems, self._starts = np.unique(flat[self._order], return_index=True)

    def pull(self, theta: Floats) -> Floats:
        """(replicates, rankings, places) of parameters (replicates, poems + columns)."""
        found = theta[:, self.at]
        for column in range(self.columns):
            found += theta[:, self.count + column, None, None] * self.given[:, :, column]
        return found

    def gather(self, values: Floats) -> Floats:
        """The transpose of `pull`: sums by poem, then by covariate."""
        flat = values.reshape(len(values), -1)
        sums = np.zeros((len(values), self.count + self.columns))
        if self.number:
            sums[:, self._poems] = np.add.reduceat(flat[:, self._order], self._starts, axis=1)
        sums[:, self.count :] = flat @ self.given.reshape(flat.shape[1], self.columns)
        return sums


def fit(
    rankings: Rankings,
    weights: Floats,
    centre: Floats,
    precision: Floats,
    start: Floats | None = None,
    tolerance: float = 1e-6,
) -> Fit:
    """The posterior's peak for each replicate.

    `weights` (replicates, rankings) say how often a ranking counts, `centre` (replicates, poems + columns) and
    `precision` (poems + columns) are the normal prior's mean and reciprocal variance.
    """
    theta = (np.zeros_like(centre) if start is None else np.broadcast_to(start, centre.shape)).copy()
    if rankings.number:
        for _ in range(50):
            gradient, curve = _slope(rankings, theta, weights, centre, precision)
            step = _solved(gradient, curve, precision)
            theta += step * np.minimum(1.0, 4.0 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300))
            if float(np.abs(step).max()) < tolerance:
                break
    else:
        theta = centre.copy()
    return Fit(theta[:, : rankings.count], theta[:, rankings.count :])


def covariance(rankings: Rankings, peak: Floats, precision: Floats, poems: Sequence[int]) -> Floats:
    """Inverse curvature at the peak for some poems, all else held there: (poems, poems)."""
    one = np.ones((1, rankings.number))
    _, curve = _slope(rankings, peak[None], one, peak[None], precision)
    unit = np.zeros((len(poems), len(precision)))
    unit[np.arange(len(poems)), poems] = 1.0
    bent = curve.product(unit)[:, poems]
    return np.asarray(np.linalg.inv((bent + bent.T) / 2 + np.diag(precision[poems])))


class _Curve:
    """The log-posterior's curvature at a point, as a product with any direction."""

    def __init__(self, rankings: Rankings, each: Floats, totals: Floats, weights: Floats) -> None:
        self._rankings, self._each, self._weights = rankings, each, weights[:, :, None]
        self._once = np.cumsum(rankings.choices / totals, axis=2)
        self._twice = rankings.choices / totals**2

    def diagonal(self) -> Floats:
        """Of the part of the likelihood; (replicates, parameters)."""
        own = self._each * self._once - self._each**2 * np.cumsum(self._twice, axis=2)
        found = self._rankings.gather(self._weights * own)
        given = self._rankings.given.reshape(self._rankings.at.size, self._rankings.columns) ** 2
        found[:, self._rankings.count :] = (self._weights * own).reshape(len(own), -1) @ given
        return found

    def product(self, direction: Floats) -> Floats:
        """Of the part of the likelihood with `direction` (replicates, parameters)."""
        moved = self._each * self._rankings.pull(direction)
        ahead = np.cumsum(moved[:, :, ::-1], axis=2)[:, :, ::-1]
        own = moved * self._once - self._each * np.cumsum(ahead * self._twice, axis=2)
        return self._rankings.gather(self._weights * own)


def _slope(
    rankings: Rankings, theta: Floats, weights: Floats, centre: Floats, precision: Floats
) -> tuple[Floats, _Curve]:
    pull = np.where(rankings.shown > 0, rankings.pull(theta), -np.inf)
    each = np.exp(pull - pull.max(axis=2, keepdims=True))
    totals = np.cumsum(each[:, :, ::-1], axis=2)[:, :, ::-1]
    totals = np.where(rankings.choices > 0, np.maximum(totals, 1e-300), 1.0)
    curve = _Curve(rankings, each, totals, weights)
    gradient = rankings.gather(weights[:, :, None] * (rankings.choices - each * curve._once))
    return gradient - precision * (theta - centre), curve


def _solved(gradient: Floats, curve: _Curve, precision: Floats) -> Floats:
    """Newton's step by conjugate gradients, preconditioned by the diagonal, for all replicates together."""
    scale = curve.diagonal() + precision
    step, rest = np.zeros_like(gradient), gradient.copy()
    eased = rest / scale
    along, size = eased.copy(), np.sum(rest * eased, axis=1, keepdims=True)
    enough = 1e-6 * size.max() + 1e-300
    for _ in range(60):
        bent = curve.product(along) + precision * along
        reach = size / np.maximum(np.sum(along * bent, axis=1, keepdims=True), 1e-300)
        step += reach * along
        rest -= reach * bent
        eased = rest / scale
        new = np.sum(rest * eased, axis=1, keepdims=True)
        if float(new.max()) < enough:
            break
        along = eased + new / np.maximum(size, 1e-300) * along
        size = new
    return step
