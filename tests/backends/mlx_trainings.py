"""A small training that the tests of the mlx engine share, and mlx-lm's own beside it."""

import random
from pathlib import Path

import numpy as np

from poetune.backends.bases import open_renderer
from poetune.backends.rows import Rows, build_rows
from poetune.ports import TrainJob, Weights
from poetune.recipe import Training
from poetune.records import Conversation, Example, Message

ASKED = Conversation((Message("user", "Write of rain."),))
MODULES = {"gpt2": ["c_attn", "mlp.c_proj"]}


def poems(count=11):
    words = "rain came down on the slate roof all night and a gutter sang to our yard".split()  # noqa: SIM905
    out = []
    for i in range(count):
        drawn = random.Random(i)
        out.append("\n".join(" ".join(drawn.sample(words, 3)) for _ in range(1 + i % 4)))
    return out


def settings(architecture="llama", **more):
    given = {"rank": 2, "steps": 5, "batch": 4, "rate": 1e-2, "warmup": 0, "dropout": 0.1, "report_every": 1}
    given |= {"validate_every": 2, "checkpoint_every": 5, "modules": MODULES.get(architecture, ["q_proj", "down_proj"])}
    return Training(**given | more)


def job(base, folder, asked=None, adapter="", count=11, samples=(), cache=None):
    examples = [Example(ASKED, poem, "train") for poem in poems(count)]
    examples += [Example(ASKED, text, "validation") for text in ("The gutter sang.", "rain on the roof\nall night")]
    return TrainJob(Weights(base, adapter), examples, asked or settings(), 3, folder, cache, samples)


def course(events):
    """What a training said of its losses."""
    return [(e.kind, e.step, e.loss, e.validation_loss) for e in events if e.kind in ("train", "validation")]


def rows_of(base, count=11, split="train"):
    """The rows of that job's training, or of its validation."""
    examples = [each for each in job(base, Path(), count=count).examples if each.split == split]
    return build_rows(open_renderer(Path(base)), examples, 512).rows


def learner(base, asked, forward=None, rows=None):
    """The learner of a job over its training rows."""
    from poetune.backends.mlx import loading
    from poetune.backends.mlx.forward import Forward
    from poetune.backends.mlx.opening import Opened
    from poetune.backends.mlx.training import MlxLearner

    loaded = loading.load(Path(base), loading.pick_dtype(asked))
    kept = Rows(tuple(rows or rows_of(base)))
    return MlxLearner(Opened(loaded, (forward or Forward)(loaded)), job(base, Path(), asked), kept, kept)


class Plain:
    """Rows as mlx-lm reads a file of prompts and completions."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return {"prompt": i, "completion": ""}

    def process(self, item):
        row = self.rows[item["prompt"]]
        return list(row.ids), row.first

    def batches(self, size):
        """Its batches of one pass: padded ids, and where each row's completion begins and ends."""
        from mlx_lm.tuner.datasets import CacheDataset
        from mlx_lm.tuner.trainer import iterate_batches

        return list(iterate_batches(CacheDataset(self), size, 512))


def plain_training(
    base, rows, folder, resume=None, optimizer=None, held=None, told=None, keys=("q_proj",), **arguments
):
    """mlx-lm's own `train` on these rows, LoRA without dropout on all layers: its weights after.

    `told` takes the validation loss on `held` that it reports of each iteration.
    """
    import mlx.core as mx
    from mlx import optimizers
    from mlx.utils import tree_flatten
    from mlx_lm.tuner.callbacks import TrainingCallback
    from mlx_lm.tuner.datasets import CacheDataset
    from mlx_lm.tuner.trainer import TrainingArgs, train
    from mlx_lm.tuner.utils import linear_to_lora_layers
    from mlx_lm.utils import load_model

    class Listener(TrainingCallback):
        def on_val_loss_report(self, val_info):
            if told is not None:
                told[val_info["iteration"]] = val_info["val_loss"]

    model, _ = load_model(Path(base))
    model.freeze()
    mx.random.seed(0)
    np.random.seed(0)
    names = [f"mlp.{key}" if key == "down_proj" else f"self_attn.{key}" for key in keys]
    linear_to_lora_layers(model, 3, {"rank": 2, "scale": 8.0, "dropout": 0.0, "keys": names})
    model.load_weights(list((resume or {}).items()), strict=False)
    given = {"steps_per_eval": 10**6, "steps_per_report": 10**6, "adapter_file": folder / "adapters.safetensors"}
    ours = [CacheDataset(Plain(some)) if some else None for some in (rows, held)]
    mx.disable_compile()  # its compiler takes longer on a CPU than the training
    try:
        asked = TrainingArgs(**given | arguments)
        train(model, optimizer or optimizers.SGD(1), *ours, asked, training_callback=Listener())
    finally:
        mx.enable_compile()
    return dict(tree_flatten(model.trainable_parameters()))
