"""Which rows a step and a validation read."""

import random
from collections.abc import Sequence

from poetune.backends.rows import Row
from poetune.ports import TrainJob
from poetune.recipe import Training


def step_rows(rows: Sequence[Row], number: int, settings: Training, seed: int) -> list[Row]:
    """The rows of optimizer step 1, 2, ...: each epoch in an order of its own, its tail a smaller step.

    Sorted by length, so that micro-batches hold little padding.
    """
    size = settings.batch * settings.accumulation
    epoch, turn = divmod(number - 1, -(-len(rows) // size))
    order = list(range(len(rows)))
    random.Random(f"{seed}:{epoch}").shuffle(order)  # noqa: S311
    return sorted((rows[i] for i in order[turn * size : (turn + 1) * size]), key=lambda row: len(row.ids))


def texts_read(rows: Sequence[Row], held: Sequence[Row], job: TrainJob, total: int) -> list[tuple[int, ...]]:
    """The token ids that a training's steps and validations put through the model, each text once."""
    if total * job.settings.batch * job.settings.accumulation < len(rows):
        rows = [row for n in range(1, total + 1) for row in step_rows(rows, n, job.settings, job.seed)]
    return list(dict.fromkeys(row.ids[:-1] for row in [*rows, *held_rows(held, job)]))


def held_rows(rows: Sequence[Row], job: TrainJob) -> list[Row]:
    """The rows of a validation, sorted by length: all, or a draw of `validate_batches` by the job's seed."""
    most = job.settings.validate_batches * job.settings.batch
    order = list(rows)
    if most and most < len(order):
        random.Random(job.seed).shuffle(order)  # noqa: S311
        order = order[:most]
    return sorted(order, key=lambda row: len(row.ids))
