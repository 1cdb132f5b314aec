"""The base's own weights, put back bit for bit after an adapter was merged into them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from poetune.backends.torch.streaming import Tensors


class Before:
    """Parameters as they are now, to be put back bit for bit."""

    def __init__(self, parameters: Iterable[Any]) -> None:
        self._kept = [(p, p.detach().to("cpu", copy=True)) for p in parameters]

    def restore(self) -> None:
        """Number format included."""
        with torch.no_grad():
            for parameter, before in self._kept:
                if parameter.dtype == before.dtype:
                    parameter.copy_(before)
                else:
                    parameter.data = before.to(parameter.device)


class OnDisk:
    """The same for parameters by name, without a copy of those that the base's files hold as they are now.

    A file that is changed or removed meanwhile is an error on reading; the base must then be loaded anew anyway.
    """

    def __init__(self, parameters: Mapping[str, Any], folder: Path, prefix: str) -> None:
        self._tensors = Tensors(folder, prefix)
        self._read, copied = {}, []
        for name, parameter in parameters.items():
            if self._tensors.has([name]) and torch.equal(self._found(name, parameter), parameter):
                self._read[name] = parameter, parameter.dtype
            else:
                copied.append(parameter)
        self._copied = Before(copied)

    def _found(self, name: str, parameter: Any) -> Any:
        return self._tensors.read(name, parameter.dtype, parameter.device)

    def restore(self) -> None:
        """Number format included."""
        self._copied.restore()
        with torch.no_grad():
            for name, (parameter, dtype) in self._read.items():
                if parameter.dtype != dtype:
                    parameter.data = parameter.to(dtype)
                parameter.copy_(self._found(name, parameter))
