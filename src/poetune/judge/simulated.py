"""A judge that reads nothing: it knows a hidden quality of each poem and errs as told. For tests and benchmarks."""

import json
import math
import random
from collections.abc import Mapping
from statistics import NormalDist

from poetune.judge.prompting import LABELS
from poetune.judge.reading import read
from poetune.ports import Ballot, Block
from poetune.recipe import Simulated
from poetune.records import digest

_GARBAGE = "What lovely poems! I could not possibly choose."


def noise_for(accuracy: float) -> float:
    """The error's deviation with which so many pairs of poems of quality N(0, 1) are ordered rightly.

    A pair's felt and true differences correlate by 1 / sqrt(1 + noise^2), and agree in sign by 1/2 + asin(that) / pi.
    """
    return math.sqrt(max(0.0, 1 / math.sin(math.pi * (accuracy - 0.5)) ** 2 - 1))


class SimulatedJudge:
    """Ranks by quality, an error that stays with a poem, fresh error, slot and length; some answers are garbage.

    The answer depends on the seed, the block and how often it was asked. A quality that isn't given is a hash of the
    text.
    """

    def __init__(
        self, settings: Simulated, qualities: Mapping[str, float] | None = None, seed: int = 0, length: float = 400.0
    ) -> None:
        """`length` is the usual length in characters; a poem e times as long is a deviation longer."""
        self.name = f"simulated judge, {settings.accuracy:.0%} of pairs right"
        self._settings, self._qualities, self._seed, self._length = settings, qualities or {}, seed, length
        self._asked: dict[tuple[str, ...], int] = {}
        noise = noise_for(settings.accuracy)
        self._persistent = noise * math.sqrt(settings.persistent)
        self._fresh = noise * math.sqrt(1 - settings.persistent)

    def rank(self, block: Block, rubric: str) -> Ballot:
        """A noisy ranking, or an invalid ballot at the rate asked for; tokens as a reading judge would take."""
        turn = self._asked[block.ids] = self._asked.get(block.ids, 0) + 1
        again = [turn] if turn > 1 else []
        chance = random.Random(digest("simulated", self._seed, block.ids, rubric, *again))  # noqa: S311
        took = sum(map(len, block.texts)) // 4 + 900, 60
        labels = LABELS[: len(block.ids)]
        if chance.random() < self._settings.garbage:
            said = _GARBAGE
        else:
            felt = {label: self._felt(block, slot, chance) for slot, label in enumerate(labels)}
            said = json.dumps({"reason": "simulated", "ranking": sorted(labels, key=lambda label: -felt[label])})
        reading = read(said, tuple(labels))
        ranking = tuple(block.ids[labels.index(label)] for label in reading.ranking)
        return Ballot(ranking, "invalid" if reading.problem else "ok", said, reading.problem or "simulated", *took)

    def quality(self, key: str, text: str) -> float:
        """What the judge tries to see."""
        return self._qualities[key] if key in self._qualities else _normal("quality", text)

    def felt(self, key: str, text: str, turn: int) -> float | None:
        """What it feels of a poem shown alone, for marks; None where its answer cannot be read."""
        chance = random.Random(digest("alone", self._seed, key, turn))  # noqa: S311
        if chance.random() < self._settings.garbage:
            return None
        return self._felt(Block((key,), ("",), (text,)), 0, chance)

    def _felt(self, block: Block, slot: int, chance: random.Random) -> float:
        key, text, last = block.ids[slot], block.texts[slot], len(block.ids) - 1
        # The deviation of 0..last is sqrt(last (last + 2) / 12).
        early = (last / 2 - slot) / math.sqrt(last * (last + 2) / 12) if last else 0.0
        return (
            self.quality(key, text)
            + self._persistent * _normal("error", self._seed, text)
            + self._fresh * chance.gauss(0.0, 1.0)
            + self._settings.slot_bias * early
            + self._settings.length_bias * math.log(max(1, len(text)) / self._length)
        )


def _normal(*what: object) -> float:
    """A draw from N(0, 1) that belongs to `what`."""
    return NormalDist().inv_cdf((int(digest(*what), 16) + 0.5) / 2**64)
