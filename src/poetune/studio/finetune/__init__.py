"""Examples become checkpoints: stages that follow one another, sweeps, curves, foreign adapters, poets and blends."""

from poetune.studio.finetune.blending import Blended, blend
from poetune.studio.finetune.chain import Tuned, needs, train
from poetune.studio.finetune.dialling import Dialled, dial
from poetune.studio.finetune.fitting import Staged
from poetune.studio.finetune.foreign import register
from poetune.studio.finetune.poets import Poets, poets
from poetune.studio.finetune.sweeping import Swept, Trial, sweep

__all__ = [
    "Blended",
    "Dialled",
    "Poets",
    "Staged",
    "Swept",
    "Trial",
    "Tuned",
    "blend",
    "dial",
    "needs",
    "poets",
    "register",
    "sweep",
    "train",
]
