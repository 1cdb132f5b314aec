"""A base in mlx: refused by name before its weights are read, then loaded lazily, in full or in 4 or 8 bit."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm.utils import load_config, load_model

from poetune.backends.bases import open_renderer
from poetune.backends.mlx.architectures import classes, rope
from poetune.backends.mlx.decoder import head_of
from poetune.backends.rendering import Renderer
from poetune.errors import EngineError
from poetune.recipe import Training

BITS = {"4bit": 4, "8bit": 8}
_GROUPS = (64, 32)  # weights that share a scale: mlx-lm's own size, and one for narrow layers
_FOREIGN = ("bitsandbytes", "hqq", "torchao", "quanto", "aqlm", "eetq")


@dataclass(slots=True)
class Base:
    """A loaded base. `head` makes logits of the decoder's states, None where they cannot be had apart.

    `quantize` is what was done to it on loading; `writes` is False where only its upper layers are there.
    """

    folder: Path
    model: Any
    config: dict[str, Any]
    renderer: Renderer
    quantize: str
    dtype: Any
    head: Callable[[Any], Any] | None
    writes: bool = True

    @property
    def context(self) -> int:
        """The most positions that the model was made for."""
        names = ("max_position_embeddings", "n_positions")
        return next((int(self.config[name]) for name in names if self.config.get(name)), 2**31)

    @property
    def on_gpu(self) -> bool:
        """Whether it computes on a GPU."""
        return bool(mx.default_device() == mx.gpu)


def pick_dtype(settings: Training | None = None) -> Any:
    """fp32 on a CPU and for weights that train in full; bf16 on a GPU unless the recipe asks for fp32.

    Raises:
        EngineError: fp16 is asked, whose small gradients would be lost.
    """
    asked = settings.precision if settings else "auto"
    if asked == "fp16":
        raise EngineError("finetune.precision: mlx trains in bf16 or fp32, not in fp16; choose auto")
    if asked == "fp32" or (settings and settings.method == "full"):
        return mx.float32
    return mx.bfloat16 if asked == "bf16" or mx.default_device() == mx.gpu else mx.float32


def check(folder: Path, quantize: str = "no") -> dict[str, Any]:
    """The config of a base that mlx can load.

    Raises:
        EngineError: mlx-lm does not know the architecture, or cannot read the quantization.
    """
    try:
        config: dict[str, Any] = load_config(folder)
        classes(config)
    except (OSError, KeyError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise EngineError(f"base: mlx cannot load {folder} ({reason}); set engine to torch") from error
    if config.get("model_file"):
        raise EngineError(f"base: {folder} would run code of its own, which is never done; name another base")
    method = (config.get("quantization_config") or {}).get("quant_method", "")
    if method in _FOREIGN:
        raise EngineError(f"base: {folder} is quantized by {method}, which mlx cannot read; name the full base")
    kept = kept_bits(config)
    if kept and BITS.get(quantize, kept) != kept:
        raise EngineError(
            f"finetune.quantize: {folder} is kept in {kept} bit already, and is used as it is; set it to no"
        )
    return config


def kept_bits(config: dict[str, Any]) -> int:
    """Bits in which a base is kept on disk; 0 = not quantized."""
    found = config.get("quantization") or config.get("quantization_config") or {}
    return int(found.get("bits", 4)) if found else 0


def load(folder: Path, dtype: Any, quantize: str = "no", lazy: bool = False) -> Base:
    """A base, frozen; with `lazy` a weight is read when it is first used.

    Raises:
        EngineError: as `check` does, or the files are damaged or too large for memory.
    """
    check(folder, quantize)
    try:
        model, config = load_model(folder, lazy=True, model_config=rope(folder), get_model_classes=classes)
        model.set_dtype(dtype)
        if quantize != "no" and not kept_bits(config):
            quantized(model, BITS[quantize])
        model.freeze()
        model.eval()
        if not lazy:
            mx.eval(model.parameters())
    except (OSError, ValueError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise EngineError(f"base: {folder} cannot be loaded ({reason}); check that its files are complete") from error
    return Base(folder, model, config, open_renderer(folder), quantize, dtype, head_of(model, config))


def quantized(model: Any, bits: int) -> None:
    """Linear layers and embeddings in `bits`, as mlx-lm's convert does; what no group size fits stays as it is."""
    own = getattr(model, "quant_predicate", None)

    def how(path: str, module: Any) -> bool | dict[str, int]:
        if not hasattr(module, "to_quantized"):
            return False
        if own is not None and (given := own(path, module)) is not True:
            return given  # type: ignore[no-any-return]
        size = next((size for size in _GROUPS if module.weight.shape[-1] % size == 0), 0)
        return {"group_size": size, "bits": bits} if size else False

    nn.quantize(model, class_predicate=how)
