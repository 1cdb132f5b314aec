"""The loss tables."""

from dataclasses import asdict

from poetune.ports import ScoreRequest
from poetune.records import Model, Split
from poetune.score.contents import LossRow
from poetune.score.losses import loss_row, losses_text
from poetune.studio.house import Studio
from poetune.studio.score.models import best_or_fail, earlier, examples
from poetune.studio.score.table import Table


def loss_rows(studio: Studio, best: Model) -> list[LossRow]:
    """Base, earlier stages and checkpoint on the validation and test poems of the checkpoint's own data set."""
    rows = examples(studio, best)
    splits: tuple[Split, ...] = ("validation", "test")
    found: list[LossRow] = []
    asked_of = [("base", studio.base_of(best)), *earlier(studio, best), (best.name, best)]
    total = sum(row.split in splits for row in rows) * len(asked_of)
    studio.listener.begin("scoring", total)
    try:
        for split in splits:
            part = [row for row in rows if row.split == split]
            for label, model in asked_of:
                asked = [ScoreRequest(studio.weights(model), r.completion, r.conversation, r.plain) for r in part]
                scores = studio.generator().score(asked) if asked else []
                studio.listener.advance(len(asked))
                row = loss_row(label, split, scores, [len(r.completion.encode()) for r in part])
                if row is not None:
                    found.append(row)
    finally:
        studio.listener.end()
    return found


def losses(studio: Studio) -> Table:
    """The loss table."""
    rows = loss_rows(studio, best_or_fail(studio))
    return Table([asdict(row) for row in rows], losses_text(rows).rstrip("\n"))
