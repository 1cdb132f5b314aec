"""Examples become checkpoints: stages that follow one another, sweeps, curves and foreign adapters."""

from poetune.studio.finetune.chain import Tuned, needs, train
from poetune.studio.finetune.fitting import Staged
from poetune.studio.finetune.foreign import register
from poetune.studio.finetune.sweeping import Swept, Trial, sweep

__all__ = ["Staged", "Swept", "Trial", "Tuned", "needs", "register", "sweep", "train"]
