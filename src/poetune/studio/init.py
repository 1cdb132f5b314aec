"""A new project: poet.yaml with the lines most people change, and an empty poet.db."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from poetune.recipe import presets
from poetune.recipe.editing import with_values
from poetune.records import Round
from poetune.studio.house import Studio
from poetune.studio.listening import Listener

RECIPE = """# The recipe of this poet. Every key of every stage is in docs/recipe.md; what is left out has its default.
name: {name}
language: {language}          # auto, en or zh
base: {base}              # starter (bundled), a local folder or a hub id
engine: {engine}             # auto, torch or echo
seed: 0

dataset:
  shares: [80, 10, 10]      # train, validation, test in per cent, by hash of the text
  system: ""                # the system text of each prompt
  templates: [{templates}]

finetune:
  method: {method}              # lora (an adapter) or full (every weight); others are in docs/recipe.md
  steps: {steps}
  rank: {rank}
  alpha: {alpha}                 # or scale: alpha/rank, as mlx-lm counts
  dropout: {dropout}
  layers: 0                 # adapt the last N layers; 0 = all
  batch: 8
  rate: {rate}
  warmup: 20
  validate_every: {every}
  checkpoint_every: {every}

generate:
  themes: []                # themes, or files of themes; empty = the bundled list
  temperature: {temperature}
  top_p: 0.95
  repetition_penalty: 1.0
  max_tokens: 200

judge:
  judge: offline            # offline, or the URL of an OpenAI-compatible endpoint
  rubric: {rubric}
"""


@dataclass(frozen=True, slots=True)
class Made:
    """A new project; `files` are those that its recipe already names."""

    folder: str
    name: str
    files: tuple[str, ...] = ()


def recipe_text(
    name: str,
    language: str,
    base: str,
    engine: str,
    *,
    method: str = "lora",
    steps: int = 200,
    rate: str = "5e-4",
    every: int = 50,
    rank: int = 8,
    alpha: int = 16,
    dropout: float = 0.05,
    templates: str = "plain.v1",
    temperature: float = 0.8,
) -> str:
    """The text of a new poet.yaml."""
    rubric = "classical-zh.v1" if language == "zh" else "modern-free-verse.v1"
    return RECIPE.format(
        name=_quoted(name),
        language=language,
        base=base if base == "starter" else _quoted(base),
        engine=engine,
        method=method,
        steps=steps,
        rate=rate,
        every=every,
        rank=rank,
        alpha=alpha,
        dropout=dropout,
        templates=templates,
        temperature=temperature,
        rubric=rubric,
    )


def _quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def create(
    folder: Path,
    name: str = "",
    language: str = "",
    base: str = "",
    engine: str = "",
    listener: Listener | None = None,
    overrides: Iterable[str] = (),
    preset: str = "",
) -> Made:
    """Make the project `folder`, from a preset where one is named; what is not given has the preset's or a usual value.

    Raises StoreError where a project is there already, RecipeError for an unknown preset.
    """
    name = name or folder.resolve().name
    if base and base != "starter" and Path(base).is_dir():
        base = str(Path(base).resolve())  # given from where the user stands, kept for wherever they go
    if preset:
        given = {"name": name, "language": language, "base": base, "engine": engine}
        text = with_values(presets.preset(preset).text, {key: value for key, value in given.items() if value})
    else:
        text = recipe_text(name, language or "auto", base or "starter", engine or "auto")
    with Studio.create(folder, text, listener, overrides) as studio:
        open_first_round(studio)
        return Made(str(studio.folder), studio.recipe.name, tuple(studio.recipe.corpus.files))


def list_presets() -> list[dict[str, str]]:
    """The presets, each with one line about it."""
    return [{"name": name, "about": presets.preset(name).about} for name in presets.names()]


def open_first_round(studio: Studio) -> None:
    """Round 1 stands from the start."""
    studio.store.add([Round(1, 0, opened=now())])


def now() -> str:
    """The time, as records keep it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
