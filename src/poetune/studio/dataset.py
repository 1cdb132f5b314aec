"""Poems become a frozen data set; themes out to a CSV, rows out to JSON lines."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poetune.dataset import (
    Built,
    build_plain,
    export_rows,
    load_template,
    propose_themes,
    read_themes_csv,
    select,
    write_themes_csv,
)
from poetune.dataset import build as build_examples
from poetune.dataset.selecting import by_authors
from poetune.dataset.splits import SPLITS
from poetune.errors import RecipeError
from poetune.recipe import Stage
from poetune.records import Dataset, Example, Poem
from poetune.rounds.mix import Mixed, mix
from poetune.store.atomic import write_text
from poetune.studio.house import Studio
from poetune.studio.prompting import tokens

STYLES = {"mlx-lm": "mlx", "trl": "trl"}


@dataclass(frozen=True, slots=True)
class Frozen:
    """A data set, counted."""

    id: str
    round: int
    examples: int
    splits: dict[str, int]
    new: bool
    notes: list[str]


def build(studio: Studio, stage: Stage | None = None) -> Frozen:
    """The data set of the open round for a stage, the last one if none is named: its poems, accepted ones among them.

    Raises RecipeError where the stage names a file that no poem came from.
    """
    stage = stage or studio.recipe.finetune.chain()[-1]
    built, _ = assembled(studio, studio.store.all(Poem), stage)
    with studio.store.transaction():
        studio.store.add(built.prompts)
        studio.store.add(built.examples)
        new = studio.store.add([built.dataset])
    counted = Counter(example.split for example in built.examples)
    return Frozen(
        id=built.dataset.id,
        round=studio.round.number,
        examples=len(built.examples),
        splits={split: counted[split] for split in SPLITS},
        new=bool(new),
        notes=list(built.notes),
    )


def mixed(studio: Studio, poems: Sequence[Poem]) -> Mixed:
    """What the last stage's data set of these poems would take of the model's own; nothing is kept."""
    return assembled(studio, poems, studio.recipe.finetune.chain()[-1])[1]


def assembled(studio: Studio, every: Sequence[Poem], stage: Stage) -> tuple[Built, Mixed]:
    """A stage's data set of these poems, with no more of the model's own than `rounds` allows; nothing is kept.

    Its settings hold all that it was made from, so that `rebuilding` can make it again.
    """
    settings = studio.recipe.dataset
    if stage.shares is not None:
        settings = settings.model_copy(update={"shares": stage.shares})
    if stage.templates:
        settings = settings.model_copy(update={"templates": stage.templates})
    poems = by_authors(select(every, stage.data, returned=stage.kind == "sft"), stage.authors)
    themes: dict[str, str] = {}
    if stage.kind == "dapt":
        built = build_plain(poems, settings, round=studio.round.number)
    else:
        templates = [load_template(name, studio.folder / "templates") for name in settings.templates]
        elsewhere = {poem.id for poem in every} - {poem.id for poem in poems}
        themes = {poem: theme for poem, theme in _themes(studio).items() if poem not in elsewhere}
        built = build_examples(poems, settings, templates, themes, round=studio.round.number)
    found, told = _mix(studio, poems, built), built.notes
    if found.own_share < found.offered:
        told = (
            *told,
            f"own poems would be {found.offered:.0%} of the tokens learned; {found.own_share:.0%} are taken.",
        )
    made_from = {
        "poems": [poem.id for poem in poems],
        "themes": themes,
        "templates": list(settings.templates),
        "left_out": sorted({row.id for row in built.examples} - {row.id for row in found.rows}),
        "weights": dict(found.weights),
    }
    record = replace(
        built.dataset,
        examples=tuple(row.id for row in found.rows),
        settings={**built.dataset.settings, "made_from": made_from},
    )
    return replace(built, examples=found.rows, dataset=record, notes=told), found


def _mix(studio: Studio, poems: Sequence[Poem], built: Built) -> Mixed:
    own = {poem.id for poem in poems if poem.parent}
    if not own:
        return Mixed(built.examples, {}, 0.0, 0.0)
    sizes = tokens(studio, [poem.text for poem in poems])
    limits = studio.recipe.rounds
    counted = {poem.id: size for poem, size in zip(poems, sizes, strict=True)}
    return mix(built.examples, own, counted, limits.most_own, limits.weight)


def build_all(studio: Studio) -> Frozen:
    """The data sets of all stages; the last one's figures, the others in a sentence each."""
    stages = studio.recipe.finetune.chain()
    for stage in stages[:-1]:
        _say(studio, build(studio, stage), stage)
    return build(studio, stages[-1])


def current(studio: Studio, stage: Stage | None = None) -> Dataset:
    """The data set that the recipe and the poems give now; what it says goes to the user if it is a new one."""
    frozen = build(studio, stage)
    if frozen.new:
        _say(studio, frozen, stage)
    found = studio.store.one(Dataset, frozen.id)
    assert found is not None
    return found


def _say(studio: Studio, frozen: Frozen, stage: Stage | None) -> None:
    several = stage is not None and len(studio.recipe.finetune.chain()) > 1
    studio.say(f"dataset{f' of {stage.name}' if stage and several else ''}: {frozen.id}, {frozen.examples} examples.")
    for note in frozen.notes:
        studio.say(f"  ({note})")


def examples(studio: Studio, data: Dataset) -> list[Example]:
    """The rows of a data set, in order."""
    by_id = {example.id: example for example in studio.store.all(Example)}
    return [by_id[key] for key in data.examples]


def _themes(studio: Studio) -> dict[str, str]:
    given = studio.recipe.dataset.themes
    if not given:
        return {}
    path = studio.folder / given
    if not path.is_file():
        raise RecipeError(
            f"dataset.themes names {given}, which is not in {studio.folder}; write it by `dataset themes`."
        )
    return read_themes_csv(path.read_bytes())


def write_themes(studio: Studio, path: Path) -> tuple[Path, int]:
    """The poems' themes as a CSV to edit; themes that were edited before, here or in the recipe's file, stay.

    Raises RecipeError where there are no poems, or `path` is a file of something else.
    """
    kept = (read_themes_csv(path.read_bytes()) if path.is_file() else {}) | _themes(studio)
    found = propose_themes(studio.store.all(Poem))
    if not found:
        raise RecipeError("there are no poems to propose themes for; read some with `poetune corpus`.")
    rows = [
        replace(row, theme=kept[row.poem], how="yours") if kept.get(row.poem, row.theme) != row.theme else row
        for row in found
    ]
    write_text(path, write_themes_csv(rows))
    return path, len(rows)


def export(studio: Studio, folder: Path, style: str) -> dict[str, int]:
    """The current data set as chat JSONL in `folder`; rows by file."""
    rows = export_rows(examples(studio, current(studio)), "mlx" if STYLES[style] == "mlx" else "trl")
    for name, found in rows.items():
        write_text(folder / name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found))
    return {str(folder / name): len(found) for name, found in rows.items()}
