"""Presets: whole recipes with the figures of known projects, as YAML files beside this module.

A variant is a short file that names another preset and the values that it sets in it.
"""

import difflib
from dataclasses import dataclass
from importlib.resources import files

from poetune.errors import RecipeError
from poetune.recipe.editing import with_values
from poetune.recipe.yamltext import parse


@dataclass(frozen=True, slots=True)
class Preset:
    """A recipe that can be started from. `text` is a whole poet.yaml with its remarks, `about` one line."""

    name: str
    about: str
    text: str


def names() -> list[str]:
    """The presets' names; variants follow what they vary."""
    found = (entry.name for entry in files("poetune.recipe.presets").iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def preset(name: str) -> Preset:
    """The preset `name`. Raises RecipeError for a name that is unknown, with those that are near."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=3, cutoff=0.4)
        hint = (
            f"did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else f"there are {', '.join(names())}."
        )
        raise RecipeError(f"no preset is called `{name}`; {hint}")
    text = (files("poetune.recipe.presets") / f"{name}.yaml").read_text(encoding="utf-8")
    about = text.partition("\n")[0].lstrip("# ")
    data = parse(text, f"{name}.yaml")
    if "preset" in data:
        whole = with_values(preset(data["preset"]).text, data["set"])
        text = f"# {about}\n#\n# Varied from:\n{whole}"
    return Preset(name, about, text)
