"""The optimizers of the recipe that mlx has, over weights by name; their state is kept by those names.

AdamW: Loshchilov and Hutter 2019; Adam: Kingma and Ba 2015; Adafactor: Shazeer and Stern 2018.
"""

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
from mlx import optimizers

from poetune.errors import EngineError
from poetune.recipe import Training

UNDECAYED = ("adam",)  # kinds that take no weight decay beside the gradient
_MAKERS: Mapping[str, Callable[[float], Any]] = {
    "adamw": lambda decay: optimizers.AdamW(0.0, weight_decay=decay, bias_correction=True),
    "adam": lambda _: optimizers.Adam(0.0, bias_correction=True),
    "adafactor": lambda decay: optimizers.Adafactor(0.0, weight_decay=decay, relative_step=False),
    "sgd": lambda decay: optimizers.SGD(0.0, weight_decay=decay),
}


def check(settings: Training) -> None:
    """Raises EngineError for an optimizer that mlx has not."""
    if settings.optimizer not in _MAKERS:
        raise EngineError(
            f"finetune.optimizer: mlx has no {settings.optimizer}; choose one of {', '.join(sorted(_MAKERS))}"
        )


class Optimizer:
    """One step at a time over weights by name. Weight decay spares biases and magnitudes (one dimension)."""

    def __init__(self, settings: Training, weights: Mapping[str, Any]) -> None:
        check(settings)
        decay = 0.0 if settings.optimizer in UNDECAYED else settings.weight_decay
        make = _MAKERS[settings.optimizer]
        flat = [name for name, weight in weights.items() if weight.ndim < 2]
        deep = [name for name, weight in weights.items() if weight.ndim >= 2]
        self._parts = [(names, make(d)) for names, d in ((deep, decay), (flat, 0.0)) if names]

    def step(self, weights: Mapping[str, Any], gradients: Mapping[str, Any], rate: float) -> dict[str, Any]:
        """The weights after one step."""
        out = dict(weights)
        for names, own in self._parts:
            own.learning_rate = rate
            out |= own.apply_gradients({n: gradients[n] for n in names}, {n: weights[n] for n in names})
        mx.eval(out, [own.state for _, own in self._parts])
        return out

    def state(self) -> dict[str, Any]:
        """All of it as `number:key:name`; the step has no name."""
        out: dict[str, Any] = {}
        for i, (names, own) in enumerate(self._parts):
            out[f"{i}:step:"] = own.state["step"]
            for name in names:
                out |= {f"{i}:{key}:{name}": value for key, value in own.state.get(name, {}).items()}
        return out

    def restore(self, tensors: Mapping[str, Any]) -> None:
        """Take up a state again, bit for bit."""
        for i, (_, own) in enumerate(self._parts):
            state: dict[str, Any] = {"learning_rate": mx.array(0.0)}
            for whole, value in tensors.items():
                number, key, name = whole.split(":", 2)
                if int(number) == i and name:
                    state.setdefault(name, {})[key] = value
                elif int(number) == i:
                    state[key] = value
            own.state = state


def clipped(gradients: Mapping[str, Any], most: float) -> tuple[dict[str, Any], float]:
    """Gradients whose common norm is at most `most` (0 = no limit), and the norm before."""
    cut, norm = optimizers.clip_grad_norm(dict(gradients), most or float("inf"))
    mx.eval(cut, norm)
    return cut, float(norm)
