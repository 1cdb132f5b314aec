"""Engine names and where they live; nothing is imported until an engine is opened."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from poetune.errors import EngineError

ENGINES: Mapping[str, str] = {
    "echo": "poetune.backends.echo:EchoEngine",
    "torch": "poetune.backends.torch.engine:TorchEngine",
    "endpoint": "poetune.backends.endpoint:EndpointEngine",
}
_GUESTS = {"torch": ("torch", "transformers", "peft", "safetensors"), "endpoint": ("openai",)}
_EXTRAS = {"torch": "torch", "endpoint": "api"}


def engine_name(name: str) -> str:
    """`auto` becomes `torch`; any other known name stays as it is.

    Raises:
        EngineError: the engine is unknown, or its libraries are not installed.
    """
    wanted = "torch" if name == "auto" else name
    if wanted == "mlx":
        raise EngineError("engine: mlx is not part of this version; set engine to torch, or to echo for a dry run")
    if wanted not in ENGINES:
        raise EngineError(f"engine: {name!r} is unknown; choose auto or one of {', '.join(sorted(ENGINES))}")
    missing = [guest for guest in _GUESTS.get(wanted, ()) if find_spec(guest) is None]
    if missing:
        remedy = f'pip install "poetune[{_EXTRAS[wanted]}]"'
        raise EngineError(f"engine: {wanted} needs {', '.join(missing)}, which is not installed; run {remedy}")
    return wanted


def open_engine(name: str, **options: Any) -> Any:
    """The engine of that name, made with `options`; it satisfies the doors that its `capabilities` name.

    Raises:
        EngineError: as `engine_name` does.
    """
    module, _, attribute = ENGINES[engine_name(name)].partition(":")
    return getattr(import_module(module), attribute)(**options)
