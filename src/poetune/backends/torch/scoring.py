"""Log-likelihoods of completions, in batches of like lengths."""

from collections.abc import Sequence

import torch

from poetune.backends.ordering import batches
from poetune.backends.rows import Row
from poetune.backends.torch.forward import token_nats
from poetune.backends.torch.loading import Base
from poetune.ports import Score

_TOKENS = 8192  # padded tokens per batch


def score_rows(base: Base, rows: Sequence[Row]) -> list[Score]:
    """A score for each row, in the order given."""
    out = [Score(0.0, 0)] * len(rows)
    for batch in batches(rows, _TOKENS):
        chosen = [rows[i] for i in batch]
        with torch.inference_mode():
            nats, owner = token_nats(base, chosen)
            sums = torch.zeros(len(chosen), dtype=torch.float64).index_add_(0, owner.cpu(), nats.cpu().double())
        for i, total, row in zip(batch, sums.tolist(), chosen, strict=True):
            out[i] = Score(-total, len(row.ids) - row.first)
    return out
