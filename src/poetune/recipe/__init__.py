"""poet.yaml: what may stand in it (`sections`) and how it is read, overridden and refused (`reading`)."""

from poetune.recipe.reading import load, resolve
from poetune.recipe.sections import (
    Corpus,
    Dataset,
    Finetune,
    Generate,
    Judging,
    Recipe,
    Reviewing,
    Rounds,
    Scoring,
    Shipping,
)

__all__ = [
    "Corpus",
    "Dataset",
    "Finetune",
    "Generate",
    "Judging",
    "Recipe",
    "Reviewing",
    "Rounds",
    "Scoring",
    "Shipping",
    "load",
    "resolve",
]
