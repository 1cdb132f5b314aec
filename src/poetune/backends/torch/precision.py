"""The numbers that a training computes in; the weights that train are kept in fp32 whatever they are."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from poetune.backends.torch.loading import pick_dtype
from poetune.errors import EngineError
from poetune.recipe import Training


@dataclass(frozen=True, slots=True)
class Precision:
    """`compute`: autocast's type, None without it. `stored`: the type of weights that stay as they are."""

    device: Any
    compute: Any
    stored: Any

    @property
    def scaled(self) -> bool:
        """Whether the loss is scaled up: small gradients would be 0 in fp16."""
        return self.compute is torch.float16

    def autocast(self) -> AbstractContextManager[Any]:
        """Matrix products inside it are computed in `compute`."""
        found: AbstractContextManager[Any] = torch.autocast(
            self.device.type, self.compute, enabled=self.compute is not None
        )
        return found


def precision_of(settings: Training, device: Any) -> Precision:
    """What `finetune.precision` comes to on a device.

    Raises:
        EngineError: the device does not compute in it.
    """
    asked = settings.precision
    if asked == "auto":
        asked = "bf16" if pick_dtype(device) == torch.bfloat16 else "fp32"
    if asked == "fp32":
        return Precision(device, None, torch.float32)
    if asked == "fp16" and device.type == "mps":
        raise EngineError("finetune.precision: fp16 cannot be trained on Apple's GPU; choose bf16 or fp32")
    compute = torch.bfloat16 if asked == "bf16" else torch.float16
    frozen = settings.method != "full" and settings.bias == "none"
    narrow = frozen and (asked == "bf16" or device.type == "cuda")  # fp16 on a CPU: matrix products only
    return Precision(device, compute, compute if narrow else torch.float32)


def scaler_of(precision: Precision) -> Any:
    """Loss scaling; it does nothing unless the precision wants it."""
    return torch.amp.GradScaler(precision.device.type, enabled=precision.scaled)
