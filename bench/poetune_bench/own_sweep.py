"""poetune's own sweep by its own command, `poetune finetune --sweep`, in one process; one JSON line.

`--make` writes the model, the project with its poems, and `rows.json`: the rows of every step in the order in which
poetune reads them, for the other tool. Otherwise the sweep is run in a copy of the project, so that its cache is empty,
and each setting's adapter is measured in plain peft when the clock has stopped.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Make, or sweep and measure."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--folder", required=True, type=Path)
    ap.add_argument("--peers", required=True)
    ap.add_argument("--make", default="", metavar="SHAPE")
    ap.add_argument("--layers", type=int, required=True)
    ap.add_argument("--steps", type=int, required=True)
    ap.add_argument("--poems", type=int, required=True)
    ap.add_argument("--settings", type=int, required=True)
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--precision", default="fp32")
    a = ap.parse_args()
    sys.path.insert(0, a.peers)
    make(a) if a.make else sweep(a)


def make(a: argparse.Namespace) -> None:
    """Model, project and rows."""
    import workload

    from poetune.studio.init import create

    workload.save_model(a.make, a.folder / "model", "bfloat16" if a.precision == "bf16" else "float32")
    poems = workload.poems(a.make, a.poems)
    project = a.folder / "project"
    create(project, name="sweep", engine="torch", base=str(a.folder / "model"))
    (project / "poet.yaml").write_text(json.dumps(_recipe(workload, a)), "utf-8")  # JSON is YAML
    lines = [json.dumps({"text": poem["completion"], "theme": poem["prompt"]}) for poem in poems]
    (project / "poems.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    rows = _rows(project, a)
    wanted = {(*poem["prompt_ids"], *poem["completion_ids"]) for poem in poems}
    if {(*row["prompt_ids"], *row["completion_ids"]) for row in rows} != wanted:
        raise SystemExit("the project's rows are not the workload's poems")
    (a.folder / "rows.json").write_text(json.dumps(rows), "utf-8")


def _recipe(workload: Any, a: argparse.Namespace) -> dict[str, Any]:
    return {
        "name": "sweep",
        "engine": "torch",
        "seed": 0,
        "corpus": {"files": ["poems.jsonl"]},
        "dataset": {"shares": [100, 0, 0]},
        "finetune": {
            "layers": a.layers, "steps": a.steps, "batch": workload.BATCH, "alpha": workload.ALPHA, "dropout": 0.0,
            "warmup": 0, "schedule": "constant", "weight_decay": 0.0, "clip": 1.0, "precision": a.precision,
            "validate_every": a.steps, "checkpoint_every": a.steps,
            "sweep": workload.settings(a.make, a.settings),
        },
    }  # fmt: skip


def _rows(project: Path, a: argparse.Namespace) -> list[dict[str, Any]]:
    """Every step's rows, as the engine will read them."""
    from poetune.backends.bases import open_renderer
    from poetune.backends.ordering import step_rows
    from poetune.backends.rows import build_rows
    from poetune.studio import Studio
    from poetune.studio.finetune.planning import plan

    with Studio(project, [f"base={a.folder / 'model'}"]) as studio:
        studio.corpus()
        job = plan(studio, studio.recipe.finetune.chain()[-1], studio.base_model()).job
    rows = build_rows(open_renderer(a.folder / "model"), job.examples, job.settings.longest).rows
    steps = (step_rows(rows, number, job.settings, job.seed) for number in range(1, a.steps + 1))
    return [
        {"prompt_ids": row.ids[: row.first], "completion_ids": row.ids[row.first :]} for rows in steps for row in rows
    ]


def sweep(a: argparse.Namespace) -> None:
    """The command in a process of its own, then the losses."""
    import measure
    import workload

    aside = Path(tempfile.mkdtemp())
    try:
        project = shutil.copytree(a.folder / "project", aside / "project")
        watch, said = measure.Watch(), aside / "said.json"
        command = [sys.executable, "-m", "poetune", "finetune", "--sweep", "--json", "--project", str(project)]
        with said.open("w") as file:
            running = subprocess.Popen([*command, "--set", f"base={a.folder / 'model'}"], stdout=file)
            _, status, used = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
        wall, others = watch.wall(), watch.others()
        if running.returncode:
            raise SystemExit(f"poetune ended with {running.returncode}: {said.read_text()[-300:]}")
        trials = json.loads(said.read_text("utf-8"))["trials"]
        held, at = workload.held_out(workload.shape_of(a.folder / "model")), time.perf_counter()
        losses = [measure.held_out_loss(_in_peft(a, _adapter(project, each["run"])), held) for each in trials]
        last = used.ru_maxrss if sys.platform == "darwin" else used.ru_maxrss * 1024
        peak = max(last, *(each["peak_memory"] for each in trials))  # a sweep counts anew for each setting
        measure.emit(
            tool="poetune",
            job_cpu_s=round(used.ru_utime + used.ru_stime, 2),
            job_wall_s=round(wall, 2),
            peak_mb=round(peak / 1e6),
            labels=[each["setting"] for each in trials],
            seconds=[each["seconds"] for each in trials],
            held_out=losses,
            measuring_s=round(time.perf_counter() - at, 1),
            **others,
        )
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _adapter(project: Path, run: str) -> Path:
    return max(path.parent for path in (project / "runs" / run).glob("*/adapter_config.json"))


def _in_peft(a: argparse.Namespace, adapter: Path) -> Any:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(a.folder / "model").to(a.device)
    return PeftModel.from_pretrained(base, str(adapter))


if __name__ == "__main__":
    main()
