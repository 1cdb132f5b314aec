"""TRL's SFTTrainer on the workload; one JSON line.

default  as shipped: gradient checkpointing on, padded batches
nogc     checkpointing off, so that backward stops at the lowest adapted layer
padfree  nogc, and batches without padding (transformers masks by the restarting positions; equal loss is the check)

Batches are taken in file order in every mode, so that all tools train on the same poems in the same steps.
`--rows FILE --setting K` trains one setting of a sweep on that file's rows, and saves its adapter.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import measure
import workload

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--model", required=True)
ap.add_argument("--mode", choices=["default", "nogc", "padfree"], default="default")
ap.add_argument("--layers", type=int, required=True)
ap.add_argument("--steps", type=int, required=True)
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--device", default="cpu")
ap.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
ap.add_argument("--rows", default="", help="JSON: a list of {prompt_ids, completion_ids}, a batch after the other")
ap.add_argument("--setting", type=int, default=0)
a = ap.parse_args()

started = time.perf_counter()
import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402

torch.set_num_threads(a.threads)
name = workload.shape_of(a.model)
swept = workload.settings(name, 8)[a.setting]  # number 0 is the job of `poetune-bench train`
poems = json.loads(Path(a.rows).read_text()) if a.rows else workload.poems(name, workload.BATCH * a.steps)
data = Dataset.from_list(
    [
        {"input_ids": p["prompt_ids"] + p["completion_ids"],
         "labels": [-100] * len(p["prompt_ids"]) + p["completion_ids"]}
        for p in poems
    ]
)  # fmt: skip
how = {"train_sampling_strategy": "sequential"}
if a.mode != "default":
    how["gradient_checkpointing"] = False
if a.mode == "padfree":
    how |= {"padding_free": True, "max_length": None}
clock = measure.Clock()


class Counting(SFTTrainer):
    def training_step(self, model, inputs, *args, **kw):
        mask = inputs.get("attention_mask")
        self.read = int(mask.sum()) if mask is not None else inputs["input_ids"].numel()
        return super().training_step(model, inputs, *args, **kw)


class Tick(TrainerCallback):
    def on_train_begin(self, *_, **__):
        clock.start()

    def on_step_end(self, *_, **__):
        if a.device != "cpu":
            torch.cuda.synchronize()
        clock.tick(trainer.read)


with tempfile.TemporaryDirectory() as out:
    settings = SFTConfig(
        out, max_steps=a.steps, per_device_train_batch_size=workload.BATCH, learning_rate=swept["rate"],
        lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0, seed=0, report_to=[], save_strategy="no",
        bf16=a.precision == "bf16", use_cpu=a.device == "cpu", disable_tqdm=True, dataloader_pin_memory=False, **how,
    )  # fmt: skip
    dtype = torch.bfloat16 if a.precision == "bf16" else torch.float32
    trainer = Counting(
        AutoModelForCausalLM.from_pretrained(a.model, dtype=dtype),
        args=settings,
        train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(a.model),
        peft_config=workload.adapter(name, a.layers, swept["rank"], swept["modules"]),
        callbacks=[Tick()],
    )
    setup = time.perf_counter() - started
    trainer.train()
    if a.rows:
        trainer.save_model(out)
    job = {"job_cpu_s": round(measure.own_cpu(), 2), "job_wall_s": round(time.perf_counter() - started, 2)}
figures = clock.figures()
loss = measure.held_out_loss(trainer.model, workload.held_out(name))
measure.emit(tool="trl " + a.mode, **figures, **job, setup_s=round(setup, 1), held_out=loss)
