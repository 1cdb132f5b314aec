"""Engine names and where they live; nothing is imported until an engine is opened."""

import platform
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from poetune.errors import EngineError

ENGINES: Mapping[str, str] = {
    "echo": "poetune.backends.echo:EchoEngine",
    "torch": "poetune.backends.torch.engine:TorchEngine",
    "mlx": "poetune.backends.mlx.engine:MlxEngine",
    "endpoint": "poetune.backends.endpoint:EndpointEngine",
}
CHOICES = ("auto", "torch", "mlx", "echo")  # what a recipe's `engine` may say
_GUESTS = {
    "torch": ("torch", "transformers", "peft", "safetensors"),
    "mlx": ("mlx", "mlx_lm", "transformers", "safetensors"),
    "endpoint": ("openai",),
}
_EXTRAS = {"torch": "torch", "mlx": "mlx", "endpoint": "api"}
_HELPERS = {"torch": "poetune.backends.torch.parallel:serve"}


def engine_name(name: str) -> str:
    """`auto` becomes mlx on Apple silicon, else torch, else what is installed of the two; other names stay.

    Raises:
        EngineError: the engine is unknown, or its libraries are not installed.
    """
    wanted = _automatic() if name == "auto" else name
    if wanted not in ENGINES:
        raise EngineError(f"engine: {name!r} is unknown; choose auto or one of {', '.join(sorted(ENGINES))}")
    missing = _missing(wanted)
    if missing:
        remedy = f'pip install "poetune[{_EXTRAS[wanted]}]"'
        raise EngineError(f"engine: {wanted} needs {', '.join(missing)}, which is not installed; run {remedy}")
    return wanted


def _automatic() -> str:
    """torch itself takes CUDA where there is one."""
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    ranked = ("mlx", "torch") if apple else ("torch", "mlx")
    return next((name for name in ranked if not _missing(name)), ranked[0])


def _missing(name: str) -> list[str]:
    return [guest for guest in _GUESTS.get(name, ()) if find_spec(guest) is None]


def open_engine(name: str, **options: Any) -> Any:
    """The engine of that name, made with `options`; it satisfies the doors that its `capabilities` name.

    Raises:
        EngineError: as `engine_name` does.
    """
    module, _, attribute = ENGINES[engine_name(name)].partition(":")
    return getattr(import_module(module), attribute)(**options)


def helper(name: str) -> Callable[[], None] | None:
    """What further processes of a launch do for a training by this engine; None where it trains in one process."""
    if name not in _HELPERS:
        return None
    module, _, attribute = _HELPERS[name].partition(":")
    found: Callable[[], None] = getattr(import_module(module), attribute)
    return found


def open_embedder(folder: Path) -> Any:
    """The embedding model in `folder`; it has `likeness(texts, others)`, cosines of (texts, others).

    Raises:
        EngineError: torch is not installed, or the folder holds no model.
    """
    engine_name("torch")
    return import_module("poetune.backends.torch.embedding").Embedder(folder)
