"""mlx-lm's own trainer on the workload, called as its command line calls it; one JSON line.

It picks its batches itself: full ones only, in an order of its own, so `distinct` tells how many poems it really read.
Its training loss counts one pad a poem; the held-out loss printed here does not. On a CPU build of mlx matrix products
are slow, and nothing here says anything about Apple's GPU.
"""

import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path

import measure
import workload

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--model", required=True)
ap.add_argument("--layers", type=int, required=True)
ap.add_argument("--steps", type=int, required=True)
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--device", default="cpu")
ap.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
a = ap.parse_args()

started = time.perf_counter()
import mlx.core as mx  # noqa: E402
from mlx import nn, optimizers  # noqa: E402
from mlx_lm.tuner.callbacks import TrainingCallback  # noqa: E402
from mlx_lm.tuner.datasets import CacheDataset  # noqa: E402
from mlx_lm.tuner.trainer import TrainingArgs, train  # noqa: E402
from mlx_lm.tuner.utils import linear_to_lora_layers  # noqa: E402
from mlx_lm.utils import load_model  # noqa: E402

if a.device != "cpu":
    mx.set_default_device(mx.gpu)
name = workload.shape_of(a.model)
poems = workload.poems(name, workload.BATCH * a.steps)
read, distinct = [], set()


class Poems:
    """What mlx-lm makes of a file of prompts and completions, with the prompt masked."""

    def __len__(self):
        return len(poems)

    def __getitem__(self, i):
        return {"prompt": i, "completion": ""}

    def process(self, item):
        poem = poems[item["prompt"]]
        return poem["prompt_ids"] + poem["completion_ids"], len(poem["prompt_ids"])


class Noting(CacheDataset):
    """Which poems are taken."""

    def __getitem__(self, i):
        read.append(len(super().__getitem__(i)[0]))
        distinct.add(i)
        return super().__getitem__(i)


class Ticking(TrainingCallback):
    """A step is over; what was read since the last one were its poems."""

    def on_train_loss_report(self, info):  # noqa: ARG002
        clock.tick(sum(read))
        read.clear()


def held_out(model):
    nats, count = 0.0, 0
    for poem in workload.held_out(name):
        first, ids = len(poem["prompt_ids"]), poem["prompt_ids"] + poem["completion_ids"]
        logits = model(mx.array([ids[:-1]]))[0, first - 1 :]
        nats += nn.losses.cross_entropy(logits, mx.array(ids[first:]), reduction="sum").item()
        count += len(ids) - first
    return round(nats / count, 6)


model, _ = load_model(Path(a.model))
model.set_dtype(mx.bfloat16 if a.precision == "bf16" else mx.float32)
model.freeze()
mx.random.seed(0)
keys = [f"{'self_attn' if m in ('q_proj', 'v_proj') else 'mlp'}.{m}" for m in workload.MODULES]
scale = workload.ALPHA / workload.RANK
linear_to_lora_layers(model, a.layers, {"rank": workload.RANK, "scale": scale, "dropout": 0.0, "keys": keys})
optimizer = optimizers.AdamW(workload.RATE, weight_decay=0.0, bias_correction=True)
setup = time.perf_counter() - started
with tempfile.TemporaryDirectory() as folder:
    how = TrainingArgs(
        batch_size=workload.BATCH, iters=a.steps, steps_per_report=1, steps_per_eval=10**9, steps_per_save=10**9,
        adapter_file=f"{folder}/adapters.safetensors",
    )  # fmt: skip
    clock = measure.Clock()
    with contextlib.redirect_stdout(io.StringIO()):
        train(model, optimizer, Noting(Poems()), None, how, training_callback=Ticking())
model.eval()
figures = clock.figures()
measure.emit(
    tool="mlx-lm",
    **figures,
    setup_s=round(setup, 1),
    held_out=held_out(model),
    distinct=len(distinct),
    given=len(poems),
)
