"""Log-likelihoods of completions, in batches of like lengths."""

from collections.abc import Sequence

import mlx.core as mx
import numpy as np

from poetune.backends.mlx.forward import Forward
from poetune.backends.mlx.loading import Base
from poetune.backends.ordering import batches
from poetune.backends.rows import Row
from poetune.ports import Score

_TOKENS = 8192  # padded tokens per batch


def score_rows(base: Base, rows: Sequence[Row]) -> list[Score]:
    """A score for each row, in the order given."""
    out = [Score(0.0, 0)] * len(rows)
    forward = Forward(base)
    for batch in batches(rows, _TOKENS):
        nats = np.array(forward.nats([rows[i] for i in batch]).astype(mx.float32)).astype(np.float64)
        edges = np.cumsum([0, *(len(rows[i].ids) - rows[i].first for i in batch)])
        for i, start, end in zip(batch, edges, edges[1:], strict=False):
            out[i] = Score(-float(nats[start:end].sum()), int(end - start))
    return out
