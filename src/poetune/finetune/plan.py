"""A recipe and examples to the training that follows from them, with what a person should hear before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.errors import EngineError
from poetune.recipe import Training
from poetune.records import Example


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings whose `steps` are what they come to (`epochs` is 0 then), and notes in words."""

    settings: Training
    notes: tuple[str, ...]


def plan_job(settings: Training, examples: Sequence[Example]) -> Plan:
    """What will be trained.

    Raises:
        EngineError: no example is in the training split.
    """
    train = sum(example.split == "train" for example in examples)
    if not train:
        raise EngineError("finetune: there is no training example; give dataset.shares a larger first figure")
    steps = settings.total(train)
    notes = []
    if settings.epochs:
        notes.append(f"steps = {steps}, from {settings.epochs:g} epochs of {train} examples")
    if settings.scale is not None:
        notes.append(
            f"alpha = {settings.scale * settings.rank:g}, from scale {settings.scale:g} and rank {settings.rank}"
        )
    if settings.warmup > steps // 2:
        notes.append(f"warm-up = {steps // 2} steps: half of the run, as {settings.warmup} would leave no room")
    if not any(example.split == "validation" for example in examples):
        notes.append("no validation examples: the best checkpoint is told by its training loss")
    plain = {name: getattr(settings, name) for name in Training.model_fields}
    return Plan(Training(**plain | {"steps": steps, "epochs": 0.0}), tuple(notes))


def inherited(settings: Training) -> list[str]:
    """The settings of a training that the recipe left to their defaults, as `rank = 8`."""
    mine = settings.model_fields_set
    return [f"{name} = {getattr(settings, name)}" for name in Training.model_fields if name not in mine]
