"""The loss tables: base, stages and settings on the same poems."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from poetune.ports import ScoreRequest
from poetune.records import Example, Model, Run, Split
from poetune.score.contents import LossRow
from poetune.score.losses import loss_row, losses_text
from poetune.store.queries import best_of, checkpoints
from poetune.studio.house import Studio
from poetune.studio.score.models import best_or_fail, earlier, examples
from poetune.studio.score.table import Table

HELD_OUT: tuple[Split, ...] = ("validation", "test")
TRAIN_ROWS = 200  # training rows that a table scores at most, by hash: more would cost time and change little


def loss_rows(studio: Studio, best: Model, splits: Sequence[Split] = HELD_OUT) -> list[LossRow]:
    """Base, earlier stages and checkpoint on the poems of the checkpoint's own data set."""
    asked_of = [("base", studio.base_of(best)), *earlier(studio, best), (best.name, best)]
    return _scored(studio, asked_of, examples(studio, best), splits)


def losses(studio: Studio) -> Table:
    """Train, validation and test losses of base, stages, the best checkpoint and every other setting that was trained
    on the same data set."""
    best = best_or_fail(studio)
    rows = examples(studio, best)
    asked_of = [("base", studio.base_of(best)), *earlier(studio, best), (best.name, best), *_settings(studio, best)]
    found = _scored(studio, asked_of, rows, ("train", *HELD_OUT))
    said = []
    train = sum(row.split == "train" for row in rows)
    if train > TRAIN_ROWS:
        said.append(f"train: {TRAIN_ROWS} of {train} rows, chosen by hash.")
    said += empty_splits(rows)
    return Table([asdict(row) for row in found], "\n".join([losses_text(found).rstrip("\n"), *said]))


def empty_splits(rows: Sequence[Example]) -> list[str]:
    """A sentence for each split that has no poem."""
    return [
        f"There is no {split} poem, so no {split} loss; give dataset.shares a share for it."
        for split in HELD_OUT
        if not any(row.split == split for row in rows)
    ]


def _scored(
    studio: Studio, asked_of: Sequence[tuple[str, Model]], rows: Sequence[Example], splits: Sequence[Split]
) -> list[LossRow]:
    """A row a model and split, model by model, so that each adapter is put on once."""
    parts = {split: _part(rows, split) for split in splits}
    found: dict[tuple[int, str], LossRow] = {}
    studio.listener.begin("scoring", len(asked_of) * sum(map(len, parts.values())))
    try:
        for place, (label, model) in enumerate(asked_of):
            for split, part in parts.items():
                asked = [ScoreRequest(studio.weights(model), r.completion, r.conversation, r.plain) for r in part]
                scores = studio.generator().score(asked) if asked else []
                studio.listener.advance(len(asked))
                row = loss_row(label, split, scores, [len(r.completion.encode()) for r in part])
                if row is not None:
                    found[place, split] = row
    finally:
        studio.listener.end()
    return [row for split in splits for place in range(len(asked_of)) if (row := found.get((place, split)))]


def _part(rows: Sequence[Example], split: Split) -> list[Example]:
    part = [row for row in rows if row.split == split]
    if split != "train" or len(part) <= TRAIN_ROWS:
        return part
    return sorted(part, key=lambda row: hashlib.sha256(row.id.encode()).digest())[:TRAIN_ROWS]


def _settings(studio: Studio, best: Model) -> list[tuple[str, Model]]:
    """The best checkpoint of every other run on the same data set and start, named by what it sets otherwise."""
    own = studio.store.one(Run, best.run) if best.run else None
    if own is None:
        return []
    others = studio.store.all(Run, "dataset = ? AND parent = ? AND engine = ?", [own.dataset, own.parent, own.engine])
    found = [(run, best_of(checkpoints(studio.store, run.id))) for run in others if run.id != own.id]
    return [(_difference(run.recipe, own.recipe), model) for run, model in found if model is not None]


def _difference(recipe: Any, own: Any) -> str:
    mine, theirs = recipe.get("finetune", {}), own.get("finetune", {})
    names = [name for name in mine if mine[name] != theirs.get(name)]
    return ", ".join(f"{name} {mine[name]}" for name in names) or "the same settings, another seed"
