"""A judge that reads nothing: it knows each poem's strength and errs as often as it is told. For tests and docs."""

import math
import random
from collections.abc import Mapping

from poetune.ports import Ballot, Block
from poetune.records import digest


class SimulatedJudge:
    """Ranks by strength plus Gumbel noise of scale `noise`, which draws from a Plackett-Luce model.

    The answer depends on the seed and the block alone. A poem without a given strength gets one from the hash of its
    text, in 0..1: fixed, and without meaning. A share of `invalid_rate` of the answers is unreadable.
    """

    def __init__(
        self,
        strengths: Mapping[str, float] | None = None,
        noise: float = 0.0,
        seed: int = 0,
        invalid_rate: float = 0.0,
    ) -> None:
        self.name = "simulated judge"
        self.strengths = dict(strengths or {})
        self.noise, self.seed, self.invalid_rate = noise, seed, invalid_rate

    def rank(self, block: Block, rubric: str) -> Ballot:
        """A noisy ranking, or an invalid ballot at the rate asked for."""
        chance = random.Random(digest("simulated", self.seed, block.ids, rubric))  # noqa: S311
        if chance.random() < self.invalid_rate:
            return Ballot((), "invalid", "I would rather not.", "simulated: an unreadable answer")
        felt = {
            key: self._strength(key, text) + self.noise * -math.log(chance.expovariate(1.0) + 1e-300)
            for key, text in zip(block.ids, block.texts, strict=True)
        }
        ranking = tuple(sorted(block.ids, key=lambda key: (-felt[key], key)))
        return Ballot(ranking, "ok", " > ".join(ranking), "simulated")

    def _strength(self, key: str, text: str) -> float:
        return self.strengths[key] if key in self.strengths else int(digest("strength", text), 16) / 2**64
