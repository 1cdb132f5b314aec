"""Many poems at once: prompts padded on the left, one draw a row and step, finished rows leave the batch.

A row's random numbers come from its own seed and position (Philox), so its poem does not depend on its neighbours.
Logits computed in batches of other shapes differ in their last bits; a draw would have to fall into that gap to differ.
"""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from poetune.backends.poem import PoemRow
from poetune.backends.torch.cache import new_cache
from poetune.backends.torch.drawing import Knobs, draw
from poetune.backends.torch.loading import Base
from poetune.backends.torch.penalties import Repetition
from poetune.ports import Written

_DROP = 4  # rows leave the batch when a quarter of it is finished


def write_batch(base: Base, rows: Sequence[PoemRow]) -> Iterator[Written]:
    """Write the rows together, each given out when it is done."""
    yield from (row.result() for row in rows if row.stop)
    live = [row for row in rows if not row.stop]
    if not live:
        return
    batch = _Batch(base, live)
    while batch.live:
        yield from batch.advance()  # no torch context is open while the caller has the poem


class _Batch:
    """The tensors of the rows still in the batch, in the order of `rows`; some of them may be finished."""

    def __init__(self, base: Base, rows: list[PoemRow]) -> None:
        self.base, self.rows = base, rows
        device = base.device
        self.desk = torch.device("cpu") if device.type == "mps" else device  # MPS has no float64 to draw in
        longest = max(len(row.prompt) for row in rows)
        self.ids = torch.zeros((len(rows), longest), dtype=torch.long)
        self.mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for i, row in enumerate(rows):
            self.ids[i, longest - len(row.prompt) :] = torch.tensor(row.prompt)
            self.mask[i, longest - len(row.prompt) :] = 1
        self.ids, self.mask = self.ids.to(device), self.mask.to(device)
        self.position = (self.mask.cumsum(-1) - 1).clamp(min=0)
        self.cache = new_cache(base.model.config)
        self.turn = 0
        self.uniform = torch.zeros((len(rows), max(row.limit for row in rows)), dtype=torch.float64)
        for i, row in enumerate(rows):
            self.uniform[i, : row.limit] = torch.from_numpy(row.uniform)
        self.uniform = self.uniform.to(self.desk)
        self.knobs = Knobs(
            torch.tensor([row.sampling.temperature for row in rows], device=self.desk),
            torch.tensor([row.sampling.top_k for row in rows], device=self.desk),
            torch.tensor([row.sampling.top_p for row in rows], dtype=torch.float64, device=self.desk),
            torch.tensor([row.sampling.min_p for row in rows], dtype=torch.float64, device=self.desk),
        )
        spared = [*base.renderer.line_break_ids, *base.renderer.stops]
        self.repetition = Repetition(
            [row.poem for row in rows], [row.sampling.repetition_penalty for row in rows], spared, self.desk
        )
        self._places = "position_ids" in inspect.signature(base.model.base_model.forward).parameters
        width = base.model.get_output_embeddings().weight.shape[0]
        self._banned = torch.tensor(
            [i for i in base.renderer.unwritable if i < width], dtype=torch.long, device=self.desk
        )
        self._context = base.context
        self._known = len(base.renderer.tokenizer)

    @property
    def live(self) -> bool:
        """Whether any row is still being written."""
        return any(row.stop is None for row in self.rows)

    def advance(self) -> list[Written]:
        """One token for every row; those that it finished."""
        with torch.inference_mode():
            tokens = draw(self._logits(), self.uniform[:, self.turn], self.knobs)
            done: list[PoemRow] = []
            for row, token in zip(self.rows, tokens.tolist(), strict=True):
                if row.stop is None:
                    row.take(token)
                    if row.stop is not None:
                        done.append(row)
            self.turn += 1
            self._next(tokens)
        return [row.result() for row in done]

    def _logits(self) -> Any:
        base = self.base
        model = base.model.base_model if base.fast_head else base.model
        padded = self.turn or not bool(self.mask.all())
        known: dict[str, Any] = {"attention_mask": self.mask} if padded else {}
        if self._places:
            known["position_ids"] = self.position
        out = model(input_ids=self.ids, past_key_values=self.cache, use_cache=True, **known)
        self.cache = out.past_key_values
        last = base.model.get_output_embeddings()(out.last_hidden_state[:, -1]) if base.fast_head else out.logits[:, -1]
        logits = last.to(self.desk, torch.float32, copy=True)
        logits[:, self._known :] = -torch.inf
        logits[:, self._banned] = -torch.inf
        self.repetition.apply(logits)
        for i, row in enumerate(self.rows):
            banned = row.repeats.banned(row.poem) if row.stop is None else None
            if banned:
                logits[i, list(banned)] = -torch.inf
        return logits

    def _next(self, tokens: Any) -> None:
        self.repetition.add(tokens)
        finished = sum(row.stop is not None for row in self.rows)
        if finished * _DROP >= len(self.rows) and finished < len(self.rows):
            keep = [i for i, row in enumerate(self.rows) if row.stop is None]
            self._select(keep)
            tokens = tokens[torch.tensor(keep, device=self.desk)]
        self.ids = tokens[:, None].to(self.base.device)
        self.mask = torch.cat([self.mask, torch.ones_like(self.ids)], dim=1)
        self.position = (self.position[:, -1:] + 1).clamp(max=self._context - 1)  # finished rows may stand at the end

    def _select(self, keep: list[int]) -> None:
        index = torch.tensor(keep, device=self.base.device)
        desk = index.to(self.desk)
        self.rows = [self.rows[i] for i in keep]
        self.mask, self.position, self.uniform = self.mask[index], self.position[index], self.uniform[desk]
        self.knobs = self.knobs.select(desk)
        self.repetition.select(desk)
        self.cache.batch_select_indices(index)
