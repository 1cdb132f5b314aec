"""What a training will take, from the config alone: mlx arrays are lazy, so a model costs nothing until it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.utils import get_total_parameters

from poetune.backends.estimating import LAYER_SECONDS, machine_memory, reading, speed
from poetune.backends.mlx import adapters, loading
from poetune.backends.mlx.architectures import classes
from poetune.backends.mlx.decoder import FAMILIES, family_of
from poetune.errors import EngineError
from poetune.ports import Needs, TrainJob
from poetune.recipe import Training

_EFFICIENCY = 0.5  # share of a plain matrix product's speed that training reaches
_KEPT = (16, 7)  # states of a layer that its way back reads: hidden and inner sizes a token, as measured
_DORA = (4, 2)  # what DoRA keeps beside them
_HEAD = 4  # copies of the logits at the worst moment, each in fp32


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the worst moment of a training: weights in memory, adapter with its optimizer, states, logits."""

    weights: int
    trained: int
    states: int
    head: int
    parameters: int
    trains: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.trained + self.states + self.head


def memory(
    config: Mapping[str, Any], settings: Training, tokens: float, supervised: float, dtype: Any, caches: bool = True
) -> Memory:
    """The memory of a training whose rows have `tokens` tokens, of which `supervised` are learned.

    With `caches`, frozen lower layers are not in memory where the boundary cache applies. `quantization` in the
    config, or `quantize` in the settings, says in how many bits the base is kept.
    """
    model, full = skeleton(config, settings, dtype), settings.method == "full"
    parameters = int(get_total_parameters(model))
    every = _bytes(model)
    layers, first = len(model.layers), 0
    held = every
    if full:
        model.unfreeze()
    else:
        first = min(each.layer for each in adapters.targets(model, settings))
        with adapters.seeded(0):
            adapters.fresh(model, settings, settings.quantize)
    caches = caches and settings.cache == "auto" and first > 0 and family_of(model, dict(config)) is not None
    if caches:
        held -= sum(_bytes(layer) for layer in model.layers[:first])
        if hasattr(model, "lm_head"):
            held -= _bytes(getattr(model.model, FAMILIES[config["model_type"]].table))
    trains = sum(each.size for _, each in tree_flatten(model.trainable_parameters()))
    hidden, inner = _sizes(config)
    size = 4 if full else dtype.size
    wide, deep = (a + b * (settings.method == "dora") for a, b in zip(_KEPT, _DORA, strict=True))
    states = settings.batch * tokens * (layers - first) * (wide * hidden + deep * inner) * size
    vocabulary = int(config["vocab_size"])
    chunk = settings.batch * supervised if full else min(settings.batch * supervised, max(128, 2**27 / vocabulary))
    head = _HEAD * 4 * chunk * vocabulary
    return Memory(held, (12 if full else 16) * trains, int(states), int(head), parameters, trains)


def writing(config: Mapping[str, Any], poems: int, tokens: int, dtype: Any) -> int:
    """Bytes to write so many poems together: all weights, and keys and values of `tokens` positions a poem."""
    layers = int(config.get("num_hidden_layers") or config["n_layer"])
    hidden, _ = _sizes(config)
    heads = int(config.get("num_attention_heads") or config["n_head"])
    shared = int(config.get("num_key_value_heads") or heads)
    size = int(config.get("head_dim") or hidden // heads)
    held: int = _bytes(skeleton(config, Training(), dtype))
    each = int(2 * layers * shared * size * dtype.size)
    return held + each * poems * tokens


def skeleton(config: Mapping[str, Any], settings: Training, dtype: Any) -> Any:
    """The model of a config without weights, quantized as it would be loaded.

    Raises:
        EngineError: mlx-lm does not know the architecture.
    """
    try:
        made, arguments = classes(dict(config))
        with adapters.seeded(0):
            model = made(arguments.from_dict(dict(config)))
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(
            f"base: mlx cannot build {config.get('model_type')} ({error}); set engine to torch"
        ) from error
    model.set_dtype(dtype)
    bits = loading.kept_bits(dict(config)) or loading.BITS.get(settings.quantize, 0)
    if bits:
        loading.quantized(model, bits)
    model.freeze()
    return model


def estimate(job: TrainJob, folder: Path) -> Needs:
    """Parameters, memory in bytes and time in seconds of a job.

    Raises:
        EngineError: the config is of an unknown architecture, or lacks a module that the recipe names.
    """
    settings = job.settings
    config = loading.check(folder, settings.quantize)
    dtype = loading.pick_dtype(settings)
    rows = reading(job, folder)
    found = memory(config, settings, rows.longest, rows.supervised, dtype, caches=job.cache is not None)
    total = settings.total(rows.count)
    model = skeleton(config, settings, dtype)
    layers, full = len(model.layers), settings.method == "full"
    upper = layers if full else layers - min(each.layer for each in adapters.targets(model, settings))
    hidden, _ = _sizes(config)
    table = int(config["vocab_size"]) * hidden
    body = max(found.parameters - table, 0) / layers
    per_row = 2 * body * rows.longest * (layers + (2 * layers if full else 1.2 * upper)) + 6 * rows.supervised * table
    reached, bits = probe(dtype)
    each = per_row * settings.batch / (reached * _EFFICIENCY) + LAYER_SECONDS * (layers + upper)
    notes = (
        f"{total} steps of {settings.batch * settings.accumulation} rows of about {rows.read:.0f} tokens",
        f"half of the {reached / 1e9:,.1f} billion operations a second that a {bits} matrix product reached",
        "validation and checkpoints not counted",
    )
    seconds = total * settings.accumulation * each
    return Needs(found.parameters, found.trains, found.total, seconds, _machine(), _device(), notes)


def probe(dtype: Any) -> tuple[float, str]:
    """Floating-point operations a second of a matrix product, tried for 0.2 s, and its number format."""
    side = 4096 if mx.default_device() == mx.gpu else 192
    a = mx.full((side, side), 0.5, dtype=dtype)
    return speed(lambda: mx.eval(a @ a), side), "bf16" if dtype == mx.bfloat16 else "fp32"


def _bytes(module: Any) -> int:
    return sum(each.nbytes for _, each in tree_flatten(module.parameters()))


def _sizes(config: Mapping[str, Any]) -> tuple[int, int]:
    hidden = int(config.get("hidden_size") or config["n_embd"])
    return hidden, int(config.get("intermediate_size") or config.get("n_inner") or 4 * hidden)


def _machine() -> int:
    """Bytes that the device may use, or of the machine's memory; 0 where it cannot be told."""
    told = mx.device_info() if mx.default_device() == mx.gpu else {}
    if "max_recommended_working_set_size" in told:
        return int(told["max_recommended_working_set_size"])
    return machine_memory()


def _device() -> str:
    if mx.default_device() == mx.gpu:
        return str(mx.device_info().get("device_name", "gpu"))
    return "cpu (mlx)"
