"""A data set made again from what it was made from, to the byte."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from poetune.dataset import build as build_examples
from poetune.dataset import build_plain, load_template
from poetune.errors import RecipeError, StoreError
from poetune.recipe import Dataset as Settings
from poetune.records import Dataset, Example, Poem
from poetune.store.atomic import write_bytes
from poetune.studio.dataset import examples
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A data set's file, with the SHA-256 that the stored rows and the rows made anew have in common."""

    id: str
    file: str
    examples: int
    sha256: str


def rebuild(studio: Studio, identifier: str = "", to: Path | None = None) -> Rebuilt:
    """Make a data set again (the latest, or the one whose id begins so) and write its rows, one JSON object a line.

    Raises StoreError where no such data set is there or the rows differ from those that were trained on, RecipeError
    where a template was changed since.
    """
    data = _named(studio, identifier)
    stored, made = canonical(examples(studio, data)), canonical(_made(studio, data))
    if stored != made:
        raise StoreError(
            f"data set {data.id} made again differs from its stored rows, which another version of poetune made; go "
            "on with the stored ones, or make a new one by `poetune dataset`."
        )
    path = to or studio.folder / "datasets" / f"{data.id}.jsonl"
    write_bytes(path, made)
    return Rebuilt(data.id, str(path), len(data.examples), hashlib.sha256(made).hexdigest())


def canonical(rows: list[Example]) -> bytes:
    """Rows as JSON lines with sorted keys, UTF-8."""
    lines = (json.dumps({"id": row.id, **asdict(row)}, ensure_ascii=False, sort_keys=True) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _named(studio: Studio, identifier: str) -> Dataset:
    found = [data for data in studio.store.all(Dataset) if data.id.startswith(identifier)]
    if not found or (identifier and len(found) > 1):
        known = ", ".join(data.id for data in studio.store.all(Dataset)[-6:]) or "none yet"
        raise StoreError(f"{len(found)} data sets have an id that begins with {identifier!r}; the latest are: {known}.")
    return found[-1]


def _made(studio: Studio, data: Dataset) -> list[Example]:
    settings = dict(data.settings)
    source: dict[str, Any] = settings.pop("made_from", {})
    poems = {poem.id: poem for poem in studio.store.all(Poem)}
    missing = [key for key in source.get("poems", ()) if key not in poems]
    if missing or not source:
        raise StoreError(
            f"data set {data.id} cannot be made again, since {len(missing) or 'all'} of its poems are not on record; "
            "its stored rows are whole, and `poetune dataset` makes a new one."
        )
    chosen = [poems[key] for key in source["poems"]]
    if settings.pop("plain", False):
        built = build_plain(chosen, Settings(shares=settings["shares"]), round=data.round)
    else:
        names = list(source["templates"])
        templates = [load_template(name, studio.folder / "templates") for name in names]
        own = Settings(**{**settings, "templates": names})
        built = build_examples(chosen, own, templates, source["themes"], round=data.round)
        changed = [n for n, d in built.dataset.settings["templates"].items() if settings["templates"].get(n) != d]
        if changed:
            raise RecipeError(
                f"data set {data.id} was made with another text of the template {', '.join(changed)}; put that back, "
                "and give the new one the next version."
            )
    left_out = set(source["left_out"])
    rows = [row for row in built.examples if row.id not in left_out]
    again = replace(data, examples=tuple(row.id for row in rows))
    return rows if again.id == data.id else [replace(row, poem=f"?{row.poem}") for row in rows]
