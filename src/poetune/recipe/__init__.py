"""poet.yaml: what may stand in it (`sections`, `training`) and how it is read, overridden and refused (`reading`)."""

from poetune.recipe.reading import load, resolve
from poetune.recipe.sections import (
    Corpus,
    Dataset,
    Generate,
    Judging,
    Price,
    Recipe,
    Reviewing,
    Rounds,
    Scoring,
    Shipping,
    Simulated,
)
from poetune.recipe.training import PREFERENCE, Finetune, Preferring, Stage, Training

__all__ = [
    "PREFERENCE",
    "Corpus",
    "Dataset",
    "Finetune",
    "Generate",
    "Judging",
    "Preferring",
    "Price",
    "Recipe",
    "Reviewing",
    "Rounds",
    "Scoring",
    "Shipping",
    "Simulated",
    "Stage",
    "Training",
    "load",
    "resolve",
]
