"""Loss tables: what a model's log-likelihoods of a split come to per token and per byte."""

import math
from collections.abc import Iterable, Sequence

from poetune.ports import Score
from poetune.score.contents import LossRow

_HEAD = ("model", "split", "texts", "tokens", "loss", "perplexity", "bits/byte")


def loss_row(model: str, split: str, scores: Sequence[Score], sizes: Sequence[int]) -> LossRow | None:
    """One row from the scores of a split's texts and their sizes in bytes of UTF-8; None where nothing was scored.

    Sums come before the division, so a long text weighs more than a short one. Bits per byte compare models whose
    tokenizers differ; perplexity does not.
    """
    total = sum(score.log_likelihood for score in scores)
    tokens = sum(score.tokens for score in scores)
    size = sum(sizes)
    if not tokens or not size:
        return None
    loss = -total / tokens
    return LossRow(
        model=model,
        split=split,
        texts=len(scores),
        tokens=tokens,
        bytes=size,
        loss=loss,
        perplexity=math.exp(loss) if loss < 700 else math.inf,
        bits_per_byte=-total / math.log(2) / size,
    )


def cells(row: LossRow) -> tuple[str, ...]:
    """A row as shown, under model, split, texts, tokens, loss, perplexity and bits/byte."""
    return (
        row.model,
        row.split,
        f"{row.texts:,}",
        f"{row.tokens:,}",
        f"{row.loss:.3f}",
        f"{row.perplexity:,.1f}" if row.perplexity < 1e6 else f"{row.perplexity:.1e}",
        f"{row.bits_per_byte:.3f}",
    )


def losses_text(rows: Iterable[LossRow]) -> str:
    """The table in aligned plain text."""
    table = [_HEAD, *map(cells, rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(_HEAD))]
    out = []
    for line in table:
        shown = [
            cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ]
        out.append("  ".join(shown).rstrip())
    return "\n".join(out) + "\n"
