"""Many poems at once through mlx-lm's batch generator, which takes the next one in as soon as one is done.

It calls each row's logits processors in the order of the batch and then one sampler for all of them: the processors
note whose turn it is, and the sampler draws for the whole batch at once, each row by its own random numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mlx.core as mx
from mlx_lm.generate import BatchGenerator

from poetune.backends.mlx.drawing import draw
from poetune.backends.mlx.loading import Base
from poetune.backends.poem import NGrams, PoemRow
from poetune.ports import Request, Written

_PROMPTS = 8  # prompts that are read together


def write_rows(base: Base, rows: Sequence[PoemRow], most: int) -> Iterator[Written]:
    """Write the rows, at most `most` at a time, each given out when it is done."""
    yield from (row.result() for row in rows if row.stop)
    live = [row for row in rows if not row.stop]
    if not live:
        return
    desk = _Desk(base)
    stops = [[token] for token in base.renderer.stops]
    batch = BatchGenerator(
        base.model,
        stop_tokens=stops,
        sampler=desk.draw,
        completion_batch_size=most,
        prefill_batch_size=min(most, _PROMPTS),
    )
    try:
        keys = batch.insert(
            [row.prompt for row in live],
            [row.limit for row in live],
            logits_processors=[[desk.place(row)] for row in live],
        )
        writing = dict(zip(keys, live, strict=True))
        while answers := batch.next_generated():
            done = []
            for answer in answers:
                row = writing[answer.uid]
                row.take(answer.token)
                if row.stop is None:
                    continue
                done.append(row)
                if answer.finish_reason is None:
                    batch.remove([answer.uid])
            yield from (row.result() for row in done)
    finally:
        batch.close()


def write_samples(base: Base, requests: Sequence[Request], most: int) -> list[tuple[str, str]]:
    """Id and text of each, in the order asked, by the model as it stands."""
    rows = [PoemRow(base.renderer, base.context, request) for request in requests]
    texts = {written.id: written.text for written in write_rows(base, rows, most)}
    return [(request.id, texts[request.id]) for request in requests]


class _Desk:
    """Whose logits come next, and what no row may say."""

    def __init__(self, base: Base) -> None:
        self._turns: list[tuple[PoemRow, int]] = []
        renderer = base.renderer
        self._spared = mx.array(sorted({*renderer.line_break_ids, *renderer.stops}))
        self._known, self._unwritable = len(renderer.tokenizer), renderer.unwritable
        self._closed: Any = None

    def place(self, row: PoemRow) -> Callable[[Any, Any], Any]:
        """The processor of a row: it notes the turn and lessens or forbids what the poem has said already."""
        start, sampling, turn = len(row.prompt) - row.opened, row.sampling, 0
        said, repeats = list(row.poem), NGrams(sampling.no_repeat_ngram, row.poem)

        def process(context: Any, logits: Any) -> Any:
            nonlocal turn
            self._turns.append((row, turn))
            turn += 1
            logits = logits.astype(mx.float32)  # or mlx-lm would take their sum off in bf16
            poem = context[start:]
            if sampling.repetition_penalty != 1 and len(poem):
                logits = self._lessened(logits, poem, sampling.repetition_penalty)
            if sampling.no_repeat_ngram:
                for token in poem[len(said) :].tolist():
                    said.append(token)
                    repeats.add(said)
                banned = repeats.banned(said)
                if banned:
                    logits[:, mx.array(sorted(banned))] = -mx.inf
            return logits

        return process

    def draw(self, logits: Any) -> Any:
        """A token for each row of the batch."""
        turns, self._turns = self._turns, []
        if self._closed is None:
            ids = mx.arange(logits.shape[-1])
            never = [i for i in self._unwritable if i < logits.shape[-1]]
            self._closed = ids >= self._known
            if never:
                self._closed = self._closed | (ids[:, None] == mx.array(never)).any(axis=-1)
        uniform = [float(row.uniform[min(turn, row.limit - 1)]) for row, turn in turns]
        return draw(mx.where(self._closed, -mx.inf, logits), uniform, [row.sampling for row, _ in turns])

    def _lessened(self, logits: Any, poem: Any, penalty: float) -> Any:
        """Keskar et al. (2019): divided by the penalty, negative ones multiplied; line breaks and ends are spared."""
        old = logits[:, poem]
        new = mx.where(old > 0, old / penalty, old * penalty)
        spared = (poem[:, None] == self._spared).any(axis=-1)
        logits[:, poem] = mx.where(spared, old, new)
        return logits
