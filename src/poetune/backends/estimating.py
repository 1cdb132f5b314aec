"""What an estimate of a training rests on: the lengths of its rows, the machine's memory, the speed of a product."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from poetune.backends.bases import longest_row, open_renderer
from poetune.backends.rows import build_rows
from poetune.errors import EngineError
from poetune.ports import TrainJob

LAYER_SECONDS = 8e-4  # cost of a layer's calls however small it is, forward and back
_SAMPLE = 64  # examples whose length is measured
_PROBE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the training rows: their number, mean tokens read and supervised, and a length near a batch's longest."""

    count: int
    read: float
    supervised: float
    longest: float


def reading(job: TrainJob, folder: Path) -> Reading:
    """Lengths of a sample of the rows. Raises EngineError where there is none."""
    examples = [e for e in job.examples if e.split == "train"]
    some = examples[:: max(1, len(examples) // _SAMPLE)]
    rows = build_rows(open_renderer(folder), some, longest_row(folder, job.settings.longest)).rows
    if not rows:
        raise EngineError("finetune: there is no training example; give dataset.shares a larger first figure")
    lengths = sorted(len(row.ids) for row in rows)
    supervised = sum(len(row.ids) - row.first for row in rows) / len(rows)
    near = float(lengths[min(len(lengths) - 1, int(0.85 * len(lengths)))])
    return Reading(len(examples), sum(lengths) / len(rows), supervised, near)


def speed(product: Callable[[], None], side: int) -> float:
    """Floating-point operations a second of a product of two square matrices, tried for 0.2 s."""
    product()
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < _PROBE_SECONDS:
        product()
        count += 1
    return 2 * side**3 * count / (time.perf_counter() - started)


def machine_memory() -> int:
    """Bytes of the machine's memory; 0 where it cannot be told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
