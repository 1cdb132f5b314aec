"""Write docs/recipe.md from the fields: `python -m tools.docs.recipe_page`; a test holds page and code together."""

import json
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from poetune.recipe import Recipe, Stage, Training

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipe.md"
HEAD = """# The recipe: poet.yaml

One YAML file tells how a poet is made. `poetune init` writes one with the keys that most people change; every key is
below with its default. An unknown key is an error that names the line and the nearest key. `--set section.key=value`
overrides a key for one command. Numbers such as `1e-5` are numbers. What shaped a training is kept with its run.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## At the top\n", _table({k: f for k, f in Recipe.model_fields.items() if not _section(f)})]
    for name, field in Recipe.model_fields.items():
        section = _section(field)
        if section is not None:
            inner = {key: part for key, f in section.model_fields.items() if (part := _section(f)) is not None}
            own = {key: f for key, f in section.model_fields.items() if key not in inner}
            parts += [f"## {name}\n", _prose(section), _table(own)]
            for key, part in inner.items():
                parts += [f"### {name}.{key}\n", _prose(part), _table(part.model_fields)]
        if name == "finetune":
            own = {k: f for k, f in Stage.model_fields.items() if k not in Training.model_fields}
            parts += ["### finetune.stages\n", _prose(Stage), "Beside all keys of `finetune` above:\n", _table(own)]
    return "\n".join(parts)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _prose(section: type[BaseModel]) -> str:
    return "\n".join(line.strip() for line in (section.__doc__ or "").strip().splitlines()) + "\n"


def _table(fields: dict[str, FieldInfo]) -> str:
    rows = ["| key | default | |", "|---|---|---|"]
    for name, field in fields.items():
        default = json.dumps(field.get_default(), ensure_ascii=False, default=list)
        rows.append(f"| `{name}` | `{default}` | {_about(field)} |")
    return "\n".join(rows) + "\n"


def _about(field: FieldInfo) -> str:
    text = (field.description or "").replace("|", "\\|")
    choices = getattr(field.annotation, "__args__", ())
    if not text and choices and all(isinstance(choice, str) for choice in choices):
        text = "one of " + ", ".join(f"`{choice}`" for choice in choices)
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
