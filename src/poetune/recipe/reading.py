"""Reading poet.yaml: numbers such as 1e-5, line numbers in errors, near names suggested, `a.b=c` overrides."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from poetune.errors import RecipeError
from poetune.recipe.sections import Recipe
from poetune.recipe.yamltext import Loader, parse

_PLAIN = {
    "model_type": "input should be a section, with `key: value` lines indented below it",
    "list_type": "input should be a list, such as [one, two]",
    "dict_type": "input should be `key: value` lines, such as {one: two}",
    "missing": "a figure is missing here",
}


def load(path: Path, overrides: Iterable[str] = ()) -> Recipe:
    """The recipe in `path` with `overrides` ("a.b=c") applied.

    Raises RecipeError, naming the line, for unreadable YAML, unknown keys and bad values.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(f"{path} does not exist; `poetune init` writes one.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read ({error}); save it as UTF-8 text.") from None
    data = parse(text, path.name)
    node = yaml.compose(text, Loader=Loader)
    # A section whose keys are all commented out has its defaults.
    data = {key: {} if value is None and _keys([str(key)]) else value for key, value in data.items()}
    return resolve(data, overrides, lines=_lines(node), where=path.name)


def resolve(
    data: dict[str, Any],
    overrides: Iterable[str] = (),
    *,
    lines: dict[str, int] | None = None,
    where: str = "poet.yaml",
) -> Recipe:
    """A Recipe from plain data and overrides; `lines` maps dotted keys to line numbers (0 = an override)."""
    lines = dict(lines or {})
    for override in overrides:
        _apply(data, override, lines)
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(_sentence(error, lines, where)) from None


def _lines(node: yaml.Node | None, prefix: str = "") -> dict[str, int]:
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            dotted = f"{prefix}{key.value}"
            found[dotted] = key.start_mark.line + 1
            found.update(_lines(value, dotted + "."))
    return found


def _apply(data: dict[str, Any], override: str, lines: dict[str, int]) -> None:
    key, equals, text = override.partition("=")
    key = key.strip()
    if not equals or not key:
        raise RecipeError(f"--set {override}: write it as section.key=value, e.g. --set finetune.steps=300.")
    try:
        value = yaml.load(text, Loader=Loader)  # noqa: S506 - Loader is a SafeLoader
    except yaml.YAMLError:
        raise RecipeError(f"--set {override}: {text!r} is not a YAML value; quote it.") from None
    *parents, last = key.split(".")
    at = data
    for parent in parents:
        inner = at.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise RecipeError(f"--set {override}: {parent} is a value, not a section.")
        at = inner
    at[last] = value
    for known in [k for k in lines if k.startswith(key + ".")]:
        del lines[known]
    lines[key] = 0


def _sentence(error: ValidationError, lines: dict[str, int], where: str) -> str:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    dotted = ".".join(location)
    ancestors = [".".join(location[:n]) for n in range(len(location), 0, -1)]
    line = next((lines[name] for name in ancestors if name in lines), 0)
    place = f"{where} line {line}" if line else f"{dotted} (given by --set)"
    if first["type"] == "extra_forbidden":
        known = _keys(location[:-1])
        elsewhere = [f"{name}.{location[-1]}" for name in Recipe.model_fields if location[-1] in _keys([name])]
        near = elsewhere or difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean `{'` or `'.join(near)}`?" if near else f"known here: {', '.join(known)}."
        return f"{place}: unknown key `{dotted}`; {hint}"
    message = first["msg"].removeprefix("Value error, ")
    message = _PLAIN.get(first["type"], message[0].lower() + message[1:])
    given = first.get("input")
    shown = f", not {given!r}" if isinstance(given, str | int | float) else ""
    return f"{place}: `{dotted}`: {message}{shown}."


def _keys(location: list[str]) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in location:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
