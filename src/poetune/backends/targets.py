"""Which modules a recipe adapts, of those that a model has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from poetune.errors import EngineError
from poetune.recipe import Training


@dataclass(frozen=True, slots=True)
class Target:
    """A linear module: the number of its layer, its name within the layer, and its name in the whole model."""

    layer: int
    rest: str
    name: str


_T = TypeVar("_T", bound=Target)


def choose(every: Sequence[_T], count: int, settings: Training) -> list[_T]:
    """Those of `every` that `settings` name, in a model of `count` layers.

    Raises:
        EngineError: a name that the model does not have, or more layers than it has.
    """
    numbers = _layers(settings.layers, count)
    names = sorted({each.rest.rsplit(".", 1)[-1] for each in every})
    wanted = names if settings.modules == ["all-linear"] else settings.modules
    for name in wanted:
        if not any(_ends(each.name, name) for each in every):
            raise EngineError(
                f"finetune.modules: the model has no {name!r}; choose among {', '.join(names)}, or [all-linear]"
            )
    return [each for each in every if each.layer in numbers and any(_ends(each.name, name) for name in wanted)]


def _layers(asked: int | list[int], count: int) -> set[int]:
    if isinstance(asked, int):
        if not 0 <= asked <= count:
            raise EngineError(f"finetune.layers: {asked} asked, but the model has {count}; 0 adapts all")
        return set(range(count - asked if asked else 0, count))
    strange = [number for number in asked if not 0 <= number < count]
    if strange or not asked:
        raise EngineError(f"finetune.layers: the model has no layer {strange}; its layers are 0 to {count - 1}")
    return set(asked)


def _ends(name: str, end: str) -> bool:
    return name == end or name.endswith("." + end)
