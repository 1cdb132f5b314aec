"""What a training will take, from the config alone: the model is built on the meta device, without weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from poetune.backends.estimating import LAYER_SECONDS, machine_memory, reading, speed
from poetune.backends.torch import adapters
from poetune.backends.torch.boundary import boundary
from poetune.backends.torch.loading import pick_dtype
from poetune.backends.torch.precision import precision_of
from poetune.backends.torch.stack import unfit
from poetune.backends.torch.streaming import skeleton
from poetune.ports import Needs, TrainJob

_EFFICIENCY = {True: 0.75, False: 0.5}  # share of a plain matrix product's speed that packed and padded layers reach
_QUANTIZED = {"no": 0.0, "8bit": 1.0, "4bit": 0.53}  # bytes a weight inside the layers (nf4 with its scales)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Of the model: numbers of weights (all, in one layer) and sizes."""

    weights: int
    layer: int
    layers: int
    hidden: int
    inner: int
    vocabulary: int


def estimate(job: TrainJob, folder: Path, device: Any, processes: int = 1) -> Needs:
    """Parameters, memory in bytes and time in seconds of a job, shared by `processes` of which each has all weights.

    Raises:
        EngineError: the config is of an unknown architecture, or lacks a module that the recipe names.
    """
    settings, full = job.settings, job.settings.method == "full"
    model = skeleton(folder)
    shape = _shape(model)
    chosen = [] if full else adapters.targets(model, settings)
    trained = shape.weights if full else settings.rank * sum(sum(each.shape) for each in chosen)
    lowest = 0 if full else min(each.layer for each in chosen)
    skipped = boundary(model.config, settings, {each.layer for each in chosen}).first if job.cache else 0
    upper = shape.layers - lowest

    rows = reading(job, folder)
    total, step = settings.total(rows.count), settings.batch * settings.accumulation
    mine = step / processes  # rows of a step that one process reads

    precision = precision_of(settings, device)
    size = torch.finfo(precision.stored).bits // 8
    resident = shape.weights - (shape.layer * skipped if not settings.sample_every else 0)
    inside = shape.layer * (shape.layers - skipped)
    weights = resident * size - inside * (size - _QUANTIZED[settings.quantize]) * (settings.quantize != "no")
    call = max(1, min(settings.batch, mine))  # rows that go through together
    states = call * rows.longest * upper * (12 * shape.hidden + 3 * shape.inner) * size
    head = 12 * call * rows.supervised * min(shape.vocabulary, 8192)
    memory = int(weights + 16 * trained + states + head)

    packed = not unfit(model.base_model)
    ahead = shape.layers - skipped  # layers forward; backward goes through the adapted ones, twice where all train
    through = shape.layer * rows.longest * (ahead + (2 * shape.layers if full else 1.2 * upper))
    per_row = 2 * through + 4 * rows.supervised * shape.vocabulary * shape.hidden
    reached, bits = probe(device)
    reached *= _EFFICIENCY[packed]
    a_step = per_row * mine / reached + LAYER_SECONDS * (ahead + upper) * max(1.0, mine / settings.batch)
    fill = 2 * shape.layer * skipped * rows.read * min(rows.count, total * step) / reached
    notes = [
        f"{total} steps of {step} rows of about {rows.read:.0f} tokens",
        f"{_EFFICIENCY[packed]:.0%} of what a {bits} matrix product reached here",
        "validation and checkpoints not counted",
    ]
    if skipped:
        notes.append(f"layers 0 to {skipped - 1} run once a text: {fill:.0f} s at most, less where the cache has some")
    there = _memory(device)
    if processes > 1:
        notes.append(f"{processes} processes share the rows of each step; the memory is that of each of them")
        there //= processes if device.type == "cpu" else 1
    return Needs(shape.weights, trained, memory, total * a_step + fill, there, _device_name(device), tuple(notes))


def _shape(model: Any) -> _Shape:
    every = {id(p): p for p in model.parameters()}
    weights = sum(p.numel() for p in every.values())
    linears = adapters.linears(model)
    layers = 1 + max(each.layer for each in linears)
    table = model.get_input_embeddings().weight.numel()
    head = model.get_output_embeddings()
    apart = 0 if head is None or head.weight is model.get_input_embeddings().weight else head.weight.numel()
    config = model.config.get_text_config(decoder=True)
    inner = max(max(each.shape) for each in linears)
    layer = max(weights - table - apart, 0) // layers
    return _Shape(weights, layer, layers, config.hidden_size, inner, config.vocab_size)


def probe(device: Any) -> tuple[float, str]:
    """Floating-point operations a second of a matrix product, tried for 0.2 s, and its number format."""
    dtype = pick_dtype(device)
    side = 256 if device.type == "cpu" else 4096
    a = torch.full((side, side), 0.5, dtype=dtype, device=device)

    def product() -> None:
        a @ a
        if device.type == "cuda":
            torch.cuda.synchronize()
        elif device.type == "mps":
            torch.mps.synchronize()

    return speed(product, side), "bf16" if dtype == torch.bfloat16 else "fp32"


def _memory(device: Any) -> int:
    """Bytes of the device's memory, or of the machine's; 0 where it cannot be told."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    return machine_memory()


def _device_name(device: Any) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type} ({torch.get_num_threads()} threads)" if device.type == "cpu" else str(device.type)
