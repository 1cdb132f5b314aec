"""The Modelfile of a merged model, its prompt spelled by the engine that trained it."""

from pathlib import Path
from typing import Any

from poetune.errors import EngineError
from poetune.records import Model, Prompt
from poetune.ship.ollama import SYSTEM, THEME, Spelled, modelfile
from poetune.studio import prompting
from poetune.studio.house import Studio


def write_modelfile(studio: Studio, model: Model, folder: Path) -> None:
    """Write `Modelfile` into the merged model's folder. Raises EngineError for a template that asks nothing."""
    text = modelfile(spelled(studio, model), studio.recipe.generate.sampling(), studio.recipe.ship.licence)
    (folder / "Modelfile").write_text(text, encoding="utf-8")


def spelled(studio: Studio, model: Model) -> Spelled:
    """The prompt of the recipe's first template around marks, with a system text and without."""
    name = studio.recipe.generate.templates[0]
    if prompting.template(studio, name).verse:
        raise EngineError(f"{name} asks nothing, so there is no prompt for Ollama; put another template first.")
    engine: Any = studio.engine()
    weights = studio.weights(model)
    with_system, without = (
        engine.spelled(weights, prompting.conversation(studio, Prompt(THEME, name, system))) for system in (SYSTEM, "")
    )
    return Spelled(with_system, without, tuple(engine.endings(weights)), prompting.systems(studio)[0])
