"""Which rows a step and a validation read, and which of them together."""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise

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


def runs(rows: Sequence[Row], most: int, call_cost: int) -> Iterator[Sequence[Row]]:
    """Rows sorted by length, cut into calls of at most `most` rows so that pads and calls together cost the least.

    `call_cost` is what a call costs beside its tokens, in tokens.
    """
    best, cut = [0.0], [0]
    for end in range(1, len(rows) + 1):
        costs = [
            (best[start] + (end - start) * len(rows[end - 1].ids) + call_cost, start)
            for start in range(max(0, end - most), end)
        ]
        cost, start = min(costs)
        best.append(cost)
        cut.append(start)
    edges = [len(rows)]
    while edges[-1]:
        edges.append(cut[edges[-1]])
    edges.reverse()
    for start, end in pairwise(edges):
        yield rows[start:end]


def batches(rows: Sequence[Row], tokens: int) -> Iterator[list[int]]:
    """Numbers of rows of like lengths, at most so many padded tokens together; a longer row stands alone."""
    batch: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: len(rows[i].ids)):
        if batch and (len(batch) + 1) * len(rows[i].ids) > tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
