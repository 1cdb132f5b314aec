"""From who was shown where and ranked how to strengths: slots and lengths are covariates, never merit."""

from collections.abc import Mapping, Sequence

import numpy as np

from poetune.judge.blocks import Told
from poetune.judge.plackett import Fit, Floats, Rankings, covariance, fit

STRENGTH_PRECISION = 0.25  # a poem's strength is within 4 of the average in 95 of 100, before any verdict
EFFECT_PRECISION = 1.0
COLUMNS = ("slot", "edges", "length")


class Scale:
    """Poems with their lengths. Columns: late slot (-0.5 first .. 0.5 last), edge slot, log length in deviations."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.ids = sorted(texts)
        self.at = {key: i for i, key in enumerate(self.ids)}
        logs = np.log1p([len(texts[key]) for key in self.ids]) if self.ids else np.zeros(0)
        spread = float(logs.std()) if len(logs) else 0.0
        self.length: Floats = (logs - logs.mean()) / spread if spread > 1e-9 else np.zeros(len(logs))
        size = len(self.ids) + len(COLUMNS)
        self.precision: Floats = np.full(size, STRENGTH_PRECISION)
        self.precision[len(self.ids) :] = EFFECT_PRECISION

    def rankings(self, told: Sequence[Told]) -> Rankings:
        """The rankings with the covariates of each place."""
        return Rankings(
            [[self.at[key] for key in ranking] for _, ranking in told],
            [self._given(shown, ranking) for shown, ranking in told],
            len(self.ids),
            len(COLUMNS),
        )

    def peak(self, rankings: Rankings, start: Floats | None = None) -> Floats:
        """The likeliest strengths and effects, (poems + columns,)."""
        found = fit(
            rankings, np.ones((1, rankings.number)), np.zeros((1, len(self.precision))), self.precision, start, 1e-5
        )
        return np.concatenate([found.strength[0], found.effect[0]])

    def doubt(self, rankings: Rankings, peak: Floats, poems: Sequence[int]) -> Floats:
        """The posterior covariance of some poems' strengths, the others held at the peak."""
        return covariance(rankings, peak, self.precision, poems)

    def resampled(self, rankings: Rankings, peak: Floats, replicates: int, seed: int) -> Fit:
        """Weighted bootstrap: each verdict counts by an exponential weight, each prior mean is drawn from the prior.

        Drawing the prior too keeps intervals wide for poems shown once (Newton, Polson and Xu 2021).
        """
        chance = np.random.default_rng(seed)
        parts = []
        for _ in range(0, replicates, 20):  # few at a time stay in the processor's cache
            weights = chance.exponential(size=(20, rankings.number))
            centre = chance.normal(size=(20, len(self.precision))) / np.sqrt(self.precision)
            parts.append(fit(rankings, weights, centre, self.precision, peak, 0.02))
        kept = slice(0, replicates)
        return Fit(
            np.concatenate([part.strength for part in parts])[kept],
            np.concatenate([part.effect for part in parts])[kept],
        )

    def _given(self, shown: Sequence[str], ranking: Sequence[str]) -> Floats:
        slots = {key: i / (len(shown) - 1) - 0.5 for i, key in enumerate(shown)}
        slot = np.array([slots[key] for key in ranking])
        return np.stack([slot, slot**2 - np.mean(slot**2), self.length[[self.at[key] for key in ranking]]], axis=1)
