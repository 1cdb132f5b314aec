"""Stage 3, examples to checkpoints: what a training will be, and checkpoints from elsewhere. Pure."""

from poetune.finetune.foreign import foreign_checkpoints
from poetune.finetune.plan import Plan, inherited, plan_job

__all__ = ["Plan", "foreign_checkpoints", "inherited", "plan_job"]
