"""Rows through a model: padded on the right in calls of like lengths, the head on supervised tokens only."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mlx.core as mx
import numpy as np

from poetune.backends.mlx.decoder import Decoder, family_of
from poetune.backends.mlx.loading import Base
from poetune.backends.mlx.states import MlxStates
from poetune.backends.ordering import runs
from poetune.backends.rows import Row
from poetune.errors import EngineError

_CALL_TOKENS = 64  # what a call costs beside its tokens on a CPU; on a GPU more than any padding
_HEAD_ELEMENTS = 2**27  # logits that are held at a time where the head is frozen


class Forward:
    """A model over rows, all of it, or the layers from `first` on where `states` hold what enters them."""

    def __init__(self, base: Base, first: int = 0, states: MlxStates | None = None, head_trains: bool = False) -> None:
        self.base, self.first, self.states, self.head_trains = base, first, states, head_trains
        family = family_of(base.model, base.config)
        self.decoder = Decoder(base.model, family) if family else None
        if states is not None and self.decoder is None:
            raise EngineError("finetune.cache: the model cannot be taken apart; set it to off")

    def calls(self, rows: Sequence[Row], most: int) -> Iterator[Sequence[Row]]:
        """Rows sorted by length, in calls of at most `most` rows."""
        return runs(rows, most, 2**30 if self.base.on_gpu else _CALL_TOKENS)

    def nats(self, rows: Sequence[Row]) -> Any:
        """Nats (tokens,) of all supervised tokens of a call, row after row.

        Under causal attention no real token sees a pad on its right, and no pad is ever a target.
        """
        longest = max(len(row.ids) for row in rows) - 1
        target = mx.array([i for row in rows for i in row.ids[row.first :]])
        places = mx.array(
            [n * longest + p for n, row in enumerate(rows) for p in range(row.first - 1, len(row.ids) - 1)]
        )
        if self.states is not None and self.decoder is not None:
            hidden = self.decoder.upper(self._fed(rows, longest), self.first)
        else:
            ids = np.zeros((len(rows), longest), np.int32)
            for line, row in zip(ids, rows, strict=True):
                line[: len(row.ids) - 1] = row.ids[:-1]
            whole = self.base.model if self.base.head is None else self.base.model.model
            hidden = whole(mx.array(ids))
        chosen = hidden.reshape(-1, hidden.shape[-1])[places]
        if self.base.head is None:
            return cross_entropy(chosen, target)
        return head_nats(self.base.head, chosen, target, self._chunk())

    def _fed(self, rows: Sequence[Row], longest: int) -> Any:
        found = []
        for row in rows:
            states = self.states.get(row.ids[:-1])  # type: ignore[union-attr]
            found.append(mx.pad(states, [(0, longest - len(states)), (0, 0)]))
        return mx.stack(found)

    def _chunk(self) -> int:
        """Tokens for which the head makes logits at a time; 0: all, as a head in training needs them."""
        vocabulary = int(self.base.config.get("vocab_size", 2**15))
        return 0 if self.head_trains else max(128, _HEAD_ELEMENTS // vocabulary)


def cross_entropy(logits: Any, target: Any) -> Any:
    """Nats of each target, in fp32."""
    logits = logits.astype(mx.float32)
    return mx.logsumexp(logits, axis=-1) - mx.take_along_axis(logits, target[:, None], axis=-1)[:, 0]


def head_nats(head: Callable[[Any], Any], hidden: Any, target: Any, chunk: int) -> Any:
    """Nats after the head; in several chunks their logits are made once more on the way back and never all kept."""
    if not chunk or len(target) <= chunk:
        return cross_entropy(head(hidden), target)
    again = mx.checkpoint(lambda states, wanted: cross_entropy(head(states), wanted))
    parts = [again(hidden[i : i + chunk], target[i : i + chunk]) for i in range(0, len(target), chunk)]
    return mx.concatenate(parts)
