"""Whole models on disk: base + adapter as one, and the checkpoints of full training."""

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from poetune.backends import checkpoints
from poetune.backends.bases import copy_tokenizer
from poetune.backends.torch import adapters
from poetune.backends.torch.loading import load_model
from poetune.errors import EngineError


def merge(folder: Path, adapter: Path | None, out: Path) -> None:
    """Write base + adapter into `out`, on the CPU: in bf16 where the base is kept in it, else in fp32.

    A base kept in 4 or 8 bit is dequantized first: nothing is ever merged into so few bits.

    Raises:
        EngineError: the adapter does not fit, `out` is not empty, or a quantized base cannot be dequantized here.
    """
    whole = adapter is not None and checkpoints.is_whole(adapter)
    source = adapter if adapter is not None and whole else folder
    model = load_model(source, torch.device("cpu"), _kept_dtype(source))
    if "quantization_config" in json.loads((source / "config.json").read_text("utf-8")):
        model = _dequantized(model, source)
    if adapter is not None and not whole:
        model = adapters.Worn(model, adapter).model

    def fill(aside: Path) -> None:
        save_model(model, aside)
        copy_tokenizer(folder, aside)

    checkpoints.publish(out, fill)


def save_model(model: Any, folder: Path) -> None:
    """safetensors, config and generation config, readable by transformers alone."""
    settings = model.generation_config
    if settings is not None and not settings.do_sample and (settings.temperature or settings.top_p or settings.top_k):
        settings.do_sample = True  # published bases carry sampling values without it, and saving refuses those
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder)


def read_into(model: Any, folder: Path) -> None:
    """Put the weights of a full checkpoint into the model."""
    tensors: dict[str, Any] = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors.update(load_file(path))
    left = model.load_state_dict(tensors, strict=False)
    tied = set(getattr(model, "_tied_weights_keys", None) or ())
    if left.unexpected_keys or set(left.missing_keys) - tied:
        raise EngineError(f"{folder}: its tensors do not fit the model; remove it and resume from the one before")


def _dequantized(model: Any, folder: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = model.dequantize().to(_kept_dtype(folder))
            whole._weight_conversions = None  # they would quantize again on saving, which transformers cannot
    except (ImportError, ValueError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise EngineError(f"{folder}: cannot be dequantized here ({reason}); name the full base") from error
    return whole.requires_grad_(False).eval()


def _kept_dtype(folder: Path) -> Any:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    kept = config.get("dtype", config.get("torch_dtype"))
    return torch.bfloat16 if kept == "bfloat16" else torch.float32
