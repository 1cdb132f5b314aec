"""The engines under the contract and what they are asked; a later engine joins by adding its maker to ENGINES."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poetune.backends.table import open_engine
from poetune.ports import TrainJob, Weights
from poetune.recipe import Finetune
from poetune.records import Conversation, Example, Message

sys.path.insert(0, str(Path(__file__).parent.parent / "backends"))

POEMS = [
    "The rain came down on the roof,\nand the gutter sang.",
    "I keep the lamp low.\nThe river keeps its hours.",
    "雨落在瓦上，\n灯很低。",
    "Nobody asks the river to stay.\n\nIt goes.",
    "The roof sang all night,\nand the lamp was low.",
]


@dataclass
class Case:
    """An engine with its base and, once trained, a checkpoint of it."""

    name: str
    engine: Any
    base: str
    trained: Weights | None = None

    def job(self, folder: Path, **settings: Any) -> TrainJob:
        small = {
            "steps": 12, "batch": 2, "rate": 3e-2, "warmup": 2, "dropout": 0.1, "report_every": 3, "validate_every": 6,
            "checkpoint_every": 5, "layers": 0, "rank": 4, "alpha": 8,
        }  # fmt: skip
        return TrainJob(Weights(self.base), examples(), Finetune(**{**small, **settings}), 7, folder)


def ask(theme: str = "rain", prefix: str = "") -> Conversation:
    return Conversation((Message("system", "You are a poet."), Message("user", f"Write of {theme}")), prefix=prefix)


def examples() -> list[Example]:
    rows = [Example(ask(), poem, "train") for poem in POEMS]
    return [*rows, Example(ask("night"), "The gutter sang all night.", "validation")]


def _echo(_: Callable[[str], Path]) -> Case:
    return Case("echo", open_engine("echo"), "starter")


def _torch(folder: Callable[[str], Path]) -> Case:
    import miniatures

    return Case("torch", open_engine("torch", batch=4, device="cpu"), str(miniatures.base(folder("base"))))


def _mlx(folder: Callable[[str], Path]) -> Case:
    import miniatures_numpy

    return Case("mlx", open_engine("mlx", batch=4, device="cpu"), str(miniatures_numpy.base(folder("base"))))


ENGINES = {"echo": _echo, "torch": _torch, "mlx": _mlx}
