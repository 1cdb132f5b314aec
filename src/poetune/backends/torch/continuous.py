"""The grid as a queue: as many poems as the batch holds are in work, and whoever ends makes room for the next."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from poetune.backends.poem import PoemRow
from poetune.backends.torch.drawing import Knobs, draw
from poetune.backends.torch.generating import write_batch
from poetune.backends.torch.loading import Base
from poetune.backends.torch.penalties import SeatedRepetition
from poetune.backends.torch.slots import Slots
from poetune.backends.torch.stack import unfit
from poetune.ports import Written

_WAIT = 8  # new rows enter when an eighth of the seats is free: reading one prompt costs nearly what reading eight does


def write_rows(base: Base, rows: Sequence[PoemRow], batch: int) -> Iterator[Written]:
    """Write the rows in the way that the base allows: as a queue, or in batches that finished rows leave."""
    if base.fast_head and not unfit(base.model.base_model):
        yield from write_queue(base, rows, batch)
        return
    for start in range(0, len(rows), batch):
        yield from write_batch(base, rows[start : start + batch])


def write_queue(base: Base, rows: Sequence[PoemRow], batch: int) -> Iterator[Written]:
    """Write the rows, at most `batch` at a time, each given out when it is done."""
    yield from (row.result() for row in rows if row.stop)
    live = [row for row in rows if not row.stop]
    if not live:
        return
    desk = _Desk(base, live, min(batch, len(live)))
    while desk.busy:
        yield from desk.advance()  # no torch context is open while the caller has the poem


class _Desk:
    """The seats, who sits in them, and the token that each of them is to read next."""

    def __init__(self, base: Base, rows: Sequence[PoemRow], count: int) -> None:
        self.base, self.waiting = base, deque(rows)
        self.slots = Slots(base.model.base_model, count)
        self.seated: list[PoemRow | None] = [None] * count
        device = base.device
        self.desk = torch.device("cpu") if device.type == "mps" else device  # MPS has no float64 to draw in
        spared = [*base.renderer.line_break_ids, *base.renderer.stops]
        self.repetition = SeatedRepetition(count, spared, self.desk)
        self.knobs = Knobs(
            torch.ones(count, device=self.desk),
            torch.zeros(count, dtype=torch.long, device=self.desk),
            torch.ones(count, dtype=torch.float64, device=self.desk),
            torch.zeros(count, dtype=torch.float64, device=self.desk),
        )
        self.next = torch.zeros(count, dtype=torch.long, device=device)
        head = base.model.get_output_embeddings()
        self._known = len(base.renderer.tokenizer)
        banned = [i for i in base.renderer.unwritable if i < head.weight.shape[0]]
        self._banned = torch.tensor(banned, dtype=torch.long, device=self.desk)

    @property
    def busy(self) -> bool:
        """Whether anything is being written or waits for it."""
        return bool(self.waiting) or any(self.seated)

    def advance(self) -> list[Written]:
        """One token for every seat; the poems that it finished."""
        with torch.inference_mode():
            reading = [seat for seat, row in enumerate(self.seated) if row is not None]
            entering = self._admit(len(reading))
            parts = []
            if reading:
                seats = torch.tensor(reading, device=self.base.device)
                parts.append(self.slots.step(seats, self.next[seats]))
            if entering:
                parts.append(self.slots.enter(entering, [self._row(seat).prompt for seat in entering]))
            return self._take([*reading, *entering], torch.cat(parts))

    def _row(self, seat: int) -> PoemRow:
        row = self.seated[seat]
        assert row is not None
        return row

    def _admit(self, busy: int) -> list[int]:
        """Seats that new rows take."""
        free = [seat for seat, row in enumerate(self.seated) if row is None]
        if not self.waiting or (busy and len(free) < max(1, len(self.seated) // _WAIT)):
            return []
        entering = free[: len(self.waiting)]
        for seat in entering:
            row = self.waiting.popleft()
            self.seated[seat] = row
            sampling = row.sampling
            self.repetition.seat(seat, row.poem, sampling.repetition_penalty)
            self.knobs.temperature[seat], self.knobs.top_k[seat] = sampling.temperature, sampling.top_k
            self.knobs.top_p[seat], self.knobs.min_p[seat] = sampling.top_p, sampling.min_p
        return entering

    def _take(self, seats: list[int], hidden: Any) -> list[Written]:
        index = torch.tensor(seats, device=self.desk)
        rows = [self._row(seat) for seat in seats]
        logits = self.base.model.get_output_embeddings()(hidden).to(self.desk, torch.float32)
        logits[:, self._known :] = -torch.inf
        logits[:, self._banned] = -torch.inf
        self.repetition.apply(logits, index)
        for i, row in enumerate(rows):
            banned = row.repeats.banned(row.poem)
            if banned:
                logits[i, list(banned)] = -torch.inf
        uniform = torch.tensor([row.uniform[row.drawn] for row in rows], dtype=torch.float64, device=self.desk)
        tokens = draw(logits, uniform, self.knobs.select(index))
        self.repetition.add(tokens, index)
        self.next[index.to(self.base.device)] = tokens.to(self.base.device)
        done = []
        for seat, row, token in zip(seats, rows, tokens.tolist(), strict=True):
            row.take(token)
            if row.stop is not None:
                self.seated[seat] = None
                done.append(row.result())
        return done
