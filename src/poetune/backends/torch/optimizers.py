"""The optimizers by their names in the recipe; their state is kept by the parameter's name, whatever it holds.

AdamW: Loshchilov and Hutter 2019; Adam: Kingma and Ba 2015; NAdam: Dozat 2016; RAdam: Liu et al. 2020; Adafactor:
Shazeer and Stern 2018; 8-bit states: Dettmers et al. 2022.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from poetune.errors import EngineError
from poetune.recipe import Training

UNDECAYED = ("adam",)  # kinds whose update leaves no room for weight decay beside the gradient
Named = Sequence[tuple[str, Any]]


def open_optimizer(settings: Training, named: Named, device: Any) -> Any:
    """The recipe's optimizer over named parameters. Weight decay is decoupled, and spares biases and magnitudes.

    Raises:
        EngineError: adamw_8bit without bitsandbytes.
    """
    decay = 0.0 if settings.optimizer in UNDECAYED else settings.weight_decay
    groups = [
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": decay},
        {"params": [p for _, p in named if p.ndim < 2], "weight_decay": 0.0},
    ]
    found: Any = _maker(settings.optimizer, device)([group for group in groups if group["params"]], settings.rate)
    return found


def _maker(name: str, device: Any) -> Callable[[list[Any], float], Any]:
    optim: Any = torch.optim
    fused = device.type in ("cpu", "cuda")
    if name == "adamw_8bit":
        return _eight_bit()
    return {
        "adamw": lambda groups, rate: optim.AdamW(groups, rate, fused=fused),
        "adam": lambda groups, rate: optim.Adam(groups, rate, fused=fused),
        "nadam": lambda groups, rate: optim.NAdam(groups, rate, decoupled_weight_decay=True),
        "radam": lambda groups, rate: optim.RAdam(groups, rate, decoupled_weight_decay=True),
        "adafactor": lambda groups, rate: optim.Adafactor(groups, rate),
        "sgd": lambda groups, rate: optim.SGD(groups, rate),
    }[name]


def _eight_bit() -> Callable[[list[Any], float], Any]:
    try:
        from bitsandbytes.optim import AdamW8bit
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineError(
            "finetune.optimizer: adamw_8bit needs bitsandbytes, which does not run here; install it, or take adamw"
        ) from error
    return lambda groups, rate: AdamW8bit(groups, rate)


def state_of(optimizer: Any, named: Named) -> tuple[dict[str, Any], dict[str, float]]:
    """Tensors and plain numbers of the optimizer's state, as `key:parameter`."""
    tensors: dict[str, Any] = {}
    numbers: dict[str, float] = {}
    for name, parameter in named:
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                tensors[f"{key}:{name}"] = value.detach().to("cpu", copy=True).contiguous()
            elif value is not None:
                numbers[f"{key}:{name}"] = value
    return tensors, numbers


def restore(optimizer: Any, named: Named, tensors: dict[str, Any], numbers: dict[str, float]) -> None:
    """Take up a state again, bit for bit; the optimizer itself puts each tensor where it keeps it."""
    names = {id(parameter): name for name, parameter in named}
    held: dict[str, dict[str, Any]] = {}
    for whole, value in [*tensors.items(), *numbers.items()]:
        key, _, name = whole.partition(":")
        held.setdefault(name, {})[key] = value.clone() if isinstance(value, torch.Tensor) else value
    order = [names[id(p)] for group in optimizer.param_groups for p in group["params"]]
    whole_state = optimizer.state_dict()
    whole_state["state"] = {i: held[name] for i, name in enumerate(order) if name in held}
    optimizer.load_state_dict(whole_state)
