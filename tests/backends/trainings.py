"""A small training that the tests of the torch engine share."""

import random
from pathlib import Path

import torch

from poetune.backends.rows import build_rows
from poetune.backends.torch import loading, training
from poetune.backends.torch.forward import WholeModel
from poetune.backends.torch.opening import Opened
from poetune.backends.torch.precision import precision_of
from poetune.ports import TrainJob, Weights
from poetune.recipe import Finetune
from poetune.records import Conversation, Example, Message

ASKED = Conversation((Message("user", "Write of rain."),))
TWO = ("llama", "gpt2")  # with and without rotary positions, Linear and Conv1D, a tied head and a learned one
ADAPTED = {"llama": ["q_proj", "down_proj"], "gpt2": ["c_attn", "mlp.c_proj"], "qwen2": ["q_proj", "v_proj"]}


def poems(count=11):
    words = "rain came down on the slate roof all night and a gutter sang to our yard".split()  # noqa: SIM905
    out = []
    for i in range(count):
        random.seed(i)
        out.append("\n".join(" ".join(random.sample(words, 4)) for _ in range(1 + i % 5)))
    return out


def job(base, folder, settings=None, adapter="", count=11, samples=()):
    examples = [Example(ASKED, poem, "train") for poem in poems(count)] + [
        Example(ASKED, "The gutter sang.", "validation")
    ]
    return TrainJob(Weights(base, adapter), examples, settings or Finetune(), 3, folder, samples=samples)


def learner(base, settings, forward=WholeModel, **job_fields):
    """The learner of a job over eight rows, on `forward`."""
    asked = job(base, Path(), settings, **job_fields)
    device = torch.device("cpu")
    loaded = loading.load(Path(base), device, dtype=precision_of(settings, device).stored)
    rows = build_rows(loaded.renderer, asked.examples[:8], 512)
    return training.TorchLearner(Opened(loaded, forward(loaded)), asked, rows, rows, base)


def course(events):
    """What a training said of its losses."""
    return [(e.kind, e.step, e.loss, e.validation_loss) for e in events if e.kind in ("train", "validation")]
