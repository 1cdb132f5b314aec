"""poetune's own training on the workload, through its engine as a user's training goes; one JSON line.

`--settings` trains that many settings in turn on one cache, as a sweep does.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SEED = 0


def main() -> None:
    """Train, then measure the saved adapter in plain peft."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", required=True)
    ap.add_argument("--peers", required=True)
    ap.add_argument("--layers", type=int, required=True)
    ap.add_argument("--steps", type=int, required=True)
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--precision", default="fp32")
    ap.add_argument("--settings", type=int, default=1)
    ap.add_argument("--engine", default="torch", choices=["torch", "mlx"])
    ap.add_argument("--cache", default="auto", choices=["auto", "off"])
    a = ap.parse_args()
    sys.path.insert(0, a.peers)
    import measure
    import workload

    started = time.perf_counter()
    from poetune.backends.table import open_engine

    if a.engine == "torch":
        import torch

        torch.set_num_threads(a.threads)
    name = workload.shape_of(a.model)
    poems = workload.poems(name, workload.BATCH * a.steps)
    setup = time.perf_counter() - started
    engine = open_engine(a.engine, device=a.device)
    folder = Path(tempfile.mkdtemp())
    try:
        clock, fills, last = measure.Clock(), [], folder
        for number in range(a.settings):
            job = _job(workload, name, poems, a, folder, number)
            at, events = (time.perf_counter(), measure.own_cpu()), iter(engine.train(job))
            step = 0
            for event in events:
                if event.kind == "start":
                    continue
                if event.kind == "train":
                    step += 1
                    batch = poems[(step - 1) * workload.BATCH : step * workload.BATCH]
                    tokens = sum(len(p["prompt_ids"]) + len(p["completion_ids"]) for p in batch)
                    clock.tick(tokens) if step > 1 else clock.start()
                    if step == 1:  # what came before the end of step 1: opening, the cache, and one step
                        fills.append((time.perf_counter() - at[0], measure.own_cpu() - at[1], tokens))
                if event.kind == "checkpoint" and event.folder is not None:
                    last = event.folder
        figures = clock.figures()
        one = figures["cpu_per_1k"] * fills[0][2] / 1000, figures["wall_per_1k"] * fills[0][2] / 1000
        total = sum(len(p["prompt_ids"]) + len(p["completion_ids"]) for p in poems)
        opened = [
            {
                "cpu_per_1k": round(max(0.0, cpu - one[0]) / total * 1000, 4),
                "wall_per_1k": round(max(0.0, wall - one[1]) / total * 1000, 4),
            }
            for wall, cpu, _ in fills
        ]
        loss = measure.held_out_loss(_in_peft(a.model, _as_peft(last), a.device), workload.held_out(name))
        tool = "poetune" if a.engine == "torch" else "mlx" if a.cache == "auto" else "mlx-all"
        measure.emit(tool=tool, **figures, setup_s=round(setup, 1), held_out=loss, opening=opened)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _job(workload: Any, name: str, poems: list[dict[str, Any]], a: Any, folder: Path, number: int) -> Any:
    from poetune.ports import TrainJob, Weights
    from poetune.recipe import Training
    from poetune.records import Conversation, Example, Message

    order = list(range(len(poems)))
    random.Random(f"{SEED}:0").shuffle(order)
    rows: list[Any] = [None] * len(poems)
    for place, poem in zip(order, poems, strict=True):  # the engine's first epoch then is the file's order
        rows[place] = Example(Conversation((Message("user", poem["prompt"]),)), poem["completion"], "train")
    modules = workload.GPT2_MODULES if name == "gpt2" else workload.MODULES
    settings = Training(
        rank=workload.RANK + number, alpha=workload.ALPHA, dropout=0.0, layers=a.layers, modules=modules, steps=a.steps,
        batch=workload.BATCH, rate=workload.RATE, warmup=0, schedule="constant", weight_decay=0.0, clip=1.0,
        report_every=1, validate_every=a.steps, checkpoint_every=a.steps, precision=a.precision, cache=a.cache,
    )  # fmt: skip
    return TrainJob(Weights(a.model), rows, settings, SEED, folder / f"run{number}", folder / "cache")


def _as_peft(adapter: Path) -> Path:
    from poetune.backends.converting import convert, format_of

    if format_of(adapter) == "peft":
        return adapter
    out = adapter.with_name("as-peft")
    out.mkdir()
    convert(adapter, "peft", out)
    return out


def _in_peft(model: str, adapter: Path, device: str) -> Any:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model).to(device), str(adapter))


if __name__ == "__main__":
    main()
