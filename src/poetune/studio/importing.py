"""A foreign recipe read, shown as poet.yaml would say it, and written there if asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poetune.errors import RecipeError, StoreError
from poetune.finetune.imports import Imported, read
from poetune.recipe import Recipe, resolve
from poetune.recipe.editing import with_values
from poetune.recipe.yamltext import parse
from poetune.store.atomic import write_text


@dataclass(frozen=True, slots=True)
class Brought:
    """What a foreign recipe gave: its account, the same as lines of poet.yaml, and the file that was written or ""."""

    found: Imported
    text: str
    written: str = ""


def bring(path: Path, project: Path, write: bool) -> Brought:
    """Read a foreign recipe; with `write`, set what was mapped in the project's poet.yaml and leave the rest.

    Raises RecipeError for a file that is no such recipe or does not fit into the project's, StoreError without project.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read ({error}); save it as UTF-8 text.") from None
    found = read(parse(text, path.name), path.name)
    lines = with_values("", found.values)
    if not write:
        return Brought(found, lines)
    recipe = project / "poet.yaml"
    if not recipe.exists():
        raise StoreError(f"{project} is no poetune project (no poet.yaml in it); run `poetune init` first.")
    old = recipe.read_text(encoding="utf-8")
    new = with_values(old, found.values | _hidden(found.values, resolve(_filled(old))))
    resolve(_filled(new))
    write_text(recipe, new)
    return Brought(found, lines, str(recipe))


def _filled(text: str) -> dict[str, Any]:
    """A section whose keys are all commented out has its defaults."""
    return {key: {} if value is None else value for key, value in parse(text, "poet.yaml").items()}


def _hidden(values: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """What stood in poet.yaml and would go before the new values."""
    own = recipe.finetune
    hidden: dict[str, Any] = {}
    if "finetune.steps" in values and "finetune.epochs" not in values and own.epochs:
        hidden["finetune.epochs"] = 0
    if "finetune.alpha" in values and "finetune.scale" not in values and own.scale is not None:
        hidden["finetune.scale"] = None
    return hidden
