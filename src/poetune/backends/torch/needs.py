"""What a training will take, from the config alone: the model is built on the meta device, without weights."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from poetune.backends.torch import adapters
from poetune.backends.torch.loading import open_renderer, pick_dtype
from poetune.backends.torch.rows import Row, build_rows
from poetune.backends.torch.streaming import skeleton
from poetune.errors import EngineError
from poetune.ports import Needs, TrainJob

_SAMPLE = 64  # examples whose length is measured
_EFFICIENCY = 0.5  # share of a plain matrix product's speed that training reaches
_LAYER_SECONDS = 8e-4  # cost of a layer's calls however small it is, forward and back
_PROBE_SECONDS = 0.2


def estimate(job: TrainJob, folder: Path, device: Any) -> Needs:
    """Parameters, memory in bytes and time in seconds of a job.

    Raises:
        EngineError: the config is of an unknown architecture, or lacks a module that the recipe names.
    """
    settings, full = job.settings, job.settings.method == "full"
    model = skeleton(folder)
    every = {id(p): p for p in model.parameters()}
    parameters = sum(p.numel() for p in every.values())
    chosen = [] if full else adapters.targets(model, settings)
    trained = parameters if full else settings.rank * sum(sum(each.shape) for each in chosen)
    layers = 1 + max(each.index for each in adapters.linears(model))
    upper = layers if full else layers - min(each.index for each in chosen)

    examples = [e for e in job.examples if e.split == "train"]
    rows = build_rows(open_renderer(folder), examples[:: max(1, len(examples) // _SAMPLE)], settings.longest).rows
    if not rows:
        raise EngineError("finetune: there is no training example; give dataset.shares a larger first figure")
    read, supervised, longest = _lengths(rows)
    total = settings.total(len(examples))

    size = torch.finfo(pick_dtype(device, full)).bits // 8
    config = model.config.get_text_config(decoder=True)
    hidden, vocabulary = config.hidden_size, config.vocab_size
    inner = max(max(each.shape) for each in adapters.linears(model))
    kept = settings.batch * longest * upper * (14 * hidden + 5 * inner) * size
    head = 3 * 4 * settings.batch * supervised * vocabulary
    memory = parameters * size + 16 * trained + int(kept) + int(head)

    table = model.get_input_embeddings().weight.numel()
    body = max(parameters - table, 0) / layers
    per_row = (
        2 * body * longest * (layers + (2 * layers if full else 1.2 * upper)) + 4 * supervised * vocabulary * hidden
    )
    speed, bits = probe(device)
    steps_seconds = per_row * settings.batch / (speed * _EFFICIENCY) + _LAYER_SECONDS * (layers + upper)
    seconds = total * settings.accumulation * steps_seconds
    notes = (
        f"{total} steps of {settings.batch * settings.accumulation} rows of about {read:.0f} tokens",
        f"half of the {speed / 1e9:,.0f} billion operations a second that a {bits} matrix product reached",
        "validation and checkpoints not counted",
    )
    return Needs(parameters, trained, memory, seconds, _memory(device), _device_name(device), notes)


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
