"""The grid as a queue: as many poems as the batch holds are in work, and whoever ends makes room for the next."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from poetune.backends.poem import PoemRow
from poetune.backends.torch.bank import Bank
from poetune.backends.torch.blocks import block_of
from poetune.backends.torch.drawing import Knobs, draw
from poetune.backends.torch.generating import write_batch
from poetune.backends.torch.loading import Base
from poetune.backends.torch.penalties import SeatedRepetition
from poetune.backends.torch.slots import Slots
from poetune.ports import Written

_WAIT = 8  # new rows enter when an eighth of the seats is free: reading one prompt costs nearly what reading eight does
_READ = 1024  # tokens of prompts that are read in one call, which bounds its memory


def write_rows(base: Base, rows: Sequence[PoemRow], batch: int) -> Iterator[Written]:
    """Write the rows in the way that the base allows: as a queue, or in batches that finished rows leave."""
    if queues(base):
        yield from write_queue(base, rows, batch)
        return
    for start in range(0, len(rows), batch):
        yield from write_batch(base, rows[start : start + batch])


def queues(base: Base) -> bool:
    """Whether a base's layers run as a queue; several adapters need that too."""
    return base.fast_head and block_of(base.model.base_model) is not None


def write_queue(
    base: Base, rows: Sequence[PoemRow], batch: int, bank: Bank | None = None, wears: Sequence[int] = ()
) -> Iterator[Written]:
    """Write the rows, at most `batch` at a time, each given out when it is done.

    With a bank of adapters, `wears` says for each row the number of its own, -1 for none.
    """
    yield from (row.result() for row in rows if row.stop)
    live = [(row, own) for row, own in zip(rows, wears or [-1] * len(rows), strict=True) if not row.stop]
    if not live:
        return
    desk = _Desk(base, live, min(batch, len(live)), bank)
    while desk.busy:
        yield from desk.advance()  # no torch context is open while the caller has the poem


class _Desk:
    """The seats, who sits in them, and the token that each of them is to read next."""

    def __init__(self, base: Base, rows: Sequence[tuple[PoemRow, int]], count: int, bank: Bank | None) -> None:
        self.base, self.waiting = base, deque(rows)
        most = max(len(row.prompt) + row.limit for row, _ in rows)
        self.slots = Slots(base, count, most, bank)
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
            entering = self._admit(len(self.slots.seats))
            parts = []
            if self.slots.seats:
                parts.append(self.slots.step(self.next))
            if entering:
                parts.append(self._enter(entering))
            return self._take(list(self.slots.seats), torch.cat(parts))

    def _enter(self, entering: dict[int, int]) -> Any:
        prompts = [self._row(seat).prompt for seat in entering]
        return self.slots.enter(list(entering), prompts, list(entering.values()))

    def _row(self, seat: int) -> PoemRow:
        row = self.seated[seat]
        assert row is not None
        return row

    def _admit(self, busy: int) -> dict[int, int]:
        """Seats that new rows take, with the numbers of their adapters."""
        free = [seat for seat, row in enumerate(self.seated) if row is None]
        if not self.waiting or (busy and len(free) < max(1, len(self.seated) // _WAIT)):
            return {}
        entering: dict[int, int] = {}
        tokens = 0
        for seat in free[: len(self.waiting)]:
            tokens += len(self.waiting[0][0].prompt)
            if entering and tokens > _READ:
                break
            row, entering[seat] = self.waiting.popleft()
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
        self.slots.leave([seat for seat in seats if self.seated[seat] is None])
        return done
