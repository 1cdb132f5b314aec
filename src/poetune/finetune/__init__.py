"""Stage 3, examples to checkpoints: what a training will be, sweeps, and checkpoints from elsewhere. Pure."""

from poetune.finetune.foreign import foreign_checkpoints
from poetune.finetune.plan import Plan, inherited, plan_job
from poetune.finetune.sweep import Setting
from poetune.finetune.sweep import settings as sweep_settings

__all__ = ["Plan", "Setting", "foreign_checkpoints", "inherited", "plan_job", "sweep_settings"]
