"""Stage 3, examples to checkpoints: what a training will be, sweeps, and checkpoints from elsewhere. Pure."""

from poetune.finetune.foreign import foreign_checkpoints
from poetune.finetune.mixing import Way, parsed
from poetune.finetune.plan import Plan, inherited, plan_job
from poetune.finetune.sweep import Setting
from poetune.finetune.sweep import settings as sweep_settings

__all__ = ["Plan", "Setting", "Way", "foreign_checkpoints", "inherited", "parsed", "plan_job", "sweep_settings"]
