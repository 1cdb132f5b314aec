"""A sweep's settings: a grid crossed, or a list taken one by one, each checked as the recipe itself is."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from poetune.errors import RecipeError
from poetune.recipe import Stage, Training
from poetune.recipe.crossing import crossed

# A swept key must have its effect: these would go before it.
_HIDES: Mapping[str, Mapping[str, Any]] = {"alpha": {"scale": None}, "steps": {"epochs": 0.0}}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a sweep: how it is called, the stage that it makes, and what it changes in it."""

    label: str
    stage: Stage
    changes: Mapping[str, Any]


def settings(sweep: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]], stage: Stage) -> list[Setting]:
    """The settings of a sweep over a stage, in order; of a grid the last key changes fastest.

    Raises RecipeError for an empty sweep, a key that no training has, a bad value, and a setting that is there twice.
    """
    wanted = crossed(sweep)
    if not any(wanted):
        raise RecipeError("finetune.sweep holds no settings; write for example `sweep: {rank: [4, 8, 16]}`.")
    found: list[Setting] = []
    for each in wanted:
        made = _setting(each, stage)
        same = next((other for other in found if other.stage == made.stage), None)
        if same is not None:
            raise RecipeError(f"finetune.sweep: {made.label} is there twice (as {same.label}); leave one out.")
        found.append(made)
    return found


def _setting(given: Mapping[str, Any], stage: Stage) -> Setting:
    for name in given:
        if name not in Training.model_fields:
            near = difflib.get_close_matches(name, Training.model_fields, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(Training.model_fields)}."
            raise RecipeError(f"finetune.sweep: unknown key `{name}`; {hint}")
    hidden = {
        name: value
        for key, others in _HIDES.items()
        if key in given
        for name, value in others.items()
        if name not in given and getattr(stage, name) != value
    }
    changes = {**given, **hidden}
    own = {name: getattr(stage, name) for name in stage.model_fields_set}
    try:
        made = Stage.model_validate({**own, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise RecipeError(
            f"finetune.sweep: `{where}`: {message[0].lower() + message[1:]}, not {first.get('input')!r}."
        ) from None
    return Setting(" ".join(f"{name}={_shown(value)}" for name, value in given.items()) or "as it is", made, changes)


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
