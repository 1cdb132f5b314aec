"""Where the frozen lower layers of a training end, and when what they give may be kept.

Below the lowest adapted layer nothing changes from step to step: the states that enter it are the same for a text as
often as it is read. They are kept wherever that is certain, and nowhere else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from poetune.recipe import Training


@dataclass(frozen=True, slots=True)
class Family:
    """How a decoder is built: the name of its list of layers, whether each loads by itself and returns a tuple."""

    layers: str
    streams: bool
    tuples: bool = False


# Architectures whose layers read nothing from below but the states handed up to them.
FAMILIES = {
    "llama": Family("layers", streams=True),
    "mistral": Family("layers", streams=True),
    "qwen2": Family("layers", streams=True),
    "qwen3": Family("layers", streams=True),
    "gpt2": Family("h", streams=True),
    "gpt_neo": Family("h", streams=False, tuples=True),
}


@dataclass(frozen=True, slots=True)
class Boundary:
    """`first`: the lowest layer that trains; 0 where all layers run at every step, and `reason` says why."""

    first: int
    reason: str = ""


def boundary(config: Any, settings: Training, adapted: Collection[int]) -> Boundary:
    """The boundary of a training that adapts the layers `adapted` of a model with this config."""
    if settings.method == "full":
        return Boundary(0, "all weights train")
    first = min(adapted, default=0)
    if first == 0:
        return Boundary(0, "the lowest layer is adapted")
    if settings.cache == "off":
        return Boundary(0, "finetune.cache is off")
    if settings.bias == "all":
        return Boundary(0, "biases of lower layers train")
    if config.model_type not in FAMILIES:
        return Boundary(0, f"upper layers of {config.model_type} may read more than the layer below them gives")
    return Boundary(first)
