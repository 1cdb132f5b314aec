"""What a training will take, from the config alone: the model is built on the meta device, without weights."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from poetune.backends.bases import open_renderer
from poetune.backends.rows import Row, build_rows
from poetune.backends.torch import adapters
from poetune.backends.torch.boundary import boundary
from poetune.backends.torch.loading import pick_dtype
from poetune.backends.torch.precision import precision_of
from poetune.backends.torch.stack import unfit
from poetune.backends.torch.streaming import skeleton
from poetune.errors import EngineError
from poetune.ports import Needs, TrainJob

_SAMPLE = 64  # examples whose length is measured
_EFFICIENCY = {True: 0.75, False: 0.5}  # share of a plain matrix product's speed that packed and padded layers reach
_LAYER_SECONDS = 8e-4  # cost of a layer's calls however small it is, forward and back
_PROBE_SECONDS = 0.2
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


def estimate(job: TrainJob, folder: Path, device: Any) -> Needs:
    """Parameters, memory in bytes and time in seconds of a job.

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

    examples = [e for e in job.examples if e.split == "train"]
    rows = build_rows(open_renderer(folder), examples[:: max(1, len(examples) // _SAMPLE)], settings.longest).rows
    if not rows:
        raise EngineError("finetune: there is no training example; give dataset.shares a larger first figure")
    read, supervised, longest = _lengths(rows)
    total = settings.total(len(examples))

    precision = precision_of(settings, device)
    size = torch.finfo(precision.stored).bits // 8
    resident = shape.weights - (shape.layer * skipped if not settings.sample_every else 0)
    inside = shape.layer * (shape.layers - skipped)
    weights = resident * size - inside * (size - _QUANTIZED[settings.quantize]) * (settings.quantize != "no")
    kept = settings.batch * longest * upper * (12 * shape.hidden + 3 * shape.inner) * size
    memory = int(weights + 16 * trained + kept + 12 * settings.batch * supervised * min(shape.vocabulary, 8192))

    packed = not unfit(model.base_model)
    ahead = shape.layers - skipped  # layers forward; backward goes through the adapted ones, twice where all train
    through = shape.layer * longest * (ahead + (2 * shape.layers if full else 1.2 * upper))
    per_row = 2 * through + 4 * supervised * shape.vocabulary * shape.hidden
    speed, bits = probe(device)
    speed *= _EFFICIENCY[packed]
    steps_seconds = per_row * settings.batch / speed + _LAYER_SECONDS * (ahead + upper)
    fill = 2 * shape.layer * skipped * read * min(len(examples), total * settings.batch * settings.accumulation) / speed
    notes = [
        f"{total} steps of {settings.batch * settings.accumulation} rows of about {read:.0f} tokens",
        f"{_EFFICIENCY[packed]:.0%} of what a {bits} matrix product reached here",
        "validation and checkpoints not counted",
    ]
    if skipped:
        notes.append(f"layers 0 to {skipped - 1} run once a text: {fill:.0f} s at most, less where the cache has some")
    seconds = total * settings.accumulation * steps_seconds + fill
    return Needs(shape.weights, trained, memory, seconds, _memory(device), _device_name(device), tuple(notes))


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


def _lengths(rows: Sequence[Row]) -> tuple[float, float, float]:
    """Mean tokens read and supervised, and a length near that of the longest row of a batch."""
    lengths = sorted(len(row.ids) for row in rows)
    supervised = sum(len(row.ids) - row.first for row in rows) / len(rows)
    return sum(lengths) / len(rows), supervised, float(lengths[min(len(lengths) - 1, int(0.85 * len(lengths)))])


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

    product()
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < _PROBE_SECONDS:
        product()
        count += 1
    return 2 * side**3 * count / (time.perf_counter() - started), "bf16" if dtype == torch.bfloat16 else "fp32"


def _memory(device: Any) -> int:
    """Bytes of the device's memory, or of the machine's; 0 where it cannot be told."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _device_name(device: Any) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type} ({torch.get_num_threads()} threads)" if device.type == "cpu" else str(device.type)
