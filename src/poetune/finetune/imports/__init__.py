"""Recipes of other tools: what their keys mean in poet.yaml, and what cannot be said there. Pure."""

from collections.abc import Mapping
from typing import Any

from poetune.errors import RecipeError
from poetune.finetune.imports import mlx, trainer
from poetune.finetune.imports.mapping import Imported, Left, Mapped, flat

__all__ = ["Imported", "Left", "Mapped", "read"]

_TOOLS = ((mlx.SIGNS, mlx.read), (trainer.SIGNS, trainer.read))


def read(data: Mapping[str, Any], where: str = "the file") -> Imported:
    """The recipe in `data`, which is mlx-lm's LoRA file, or a Trainer project's, flat or in sections.

    Raises RecipeError for a file that is neither.
    """
    keys = {key.rpartition(".")[2] for key in flat(data)} | set(data)
    signs, tool = max(_TOOLS, key=lambda one: len(keys & one[0]))
    if not keys & signs:
        shown = ", ".join(sorted(map(str, data))[:6])
        raise RecipeError(
            f"{where} is no recipe that can be read (it has {shown or 'no keys'}); give mlx-lm's LoRA file or one with "
            "the names of Hugging Face's TrainingArguments."
        )
    return tool(data)
