"""How many optimizer steps a training takes."""

from poetune.recipe import Finetune


def steps_for(settings: Finetune, training: int) -> int:
    """`steps`, or those that `epochs` passes over `training` examples come to; each epoch ends in its own step."""
    return settings.total(training)
