"""Run the tools in turn, each in a process of its own, and keep every line that they print."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared."""

    shape: str
    layers: int
    steps: int
    repeats: int
    threads: int
    device: str
    precision: str
    tools: tuple[str, ...]
    once: frozenset[str]
    peers: Path
    log: Path | None = None

    def key(self, tool: str, repeat: int) -> dict[str, Any]:
        """What names a run in the log."""
        return {
            "run": tool,
            "repeat": repeat,
            "shape": self.shape,
            "layers": self.layers,
            "steps": self.steps,
            "threads": self.threads,
            "device": self.device,
            "precision": self.precision,
        }

    def turns(self) -> Iterator[tuple[str, int]]:
        """Tools alternate, so that a change in the machine's mood meets them all; the floor goes last in each round."""
        for repeat in range(self.repeats):
            for tool in (*self.tools, "floor"):
                if repeat == 0 or tool not in self.once:
                    yield tool, repeat


def run_all(plan: Plan, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Each run's figures with its key; runs that the log has are not repeated.

    Raises:
        RuntimeError: a tool failed, with the end of what it said.
    """
    done = _read(plan.log)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        for tool, repeat in plan.turns():
            key = plan.key(tool, repeat)
            kept = next((each for each in done if each.items() >= key.items()), None)
            if kept is None:
                if not model.is_dir():
                    _model(plan, Path(folder))
                kept = _run(_command(plan, tool, model), plan) | key
                if plan.log:
                    with plan.log.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(kept) + "\n")
            shown = kept.get("cpu_per_1k", kept.get("cached_per_1k"))
            say(f"{tool} {repeat + 1}: {shown} s per 1,000 tokens, held-out {kept.get('held_out', '-')}")
            found.append(kept)
    return found


def _read(log: Path | None) -> list[dict[str, Any]]:
    if log is None or not log.is_file():
        return []
    return [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.endswith("}")]


def _model(plan: Plan, folder: Path) -> None:
    dtype = "bfloat16" if plan.precision == "bf16" else "float32"
    command = [str(plan.peers / "workload.py"), "--shape", plan.shape, "--out", str(folder), "--dtype", dtype]
    subprocess.run([sys.executable, *command], check=True, capture_output=True, env=_environment(plan))


def _command(plan: Plan, tool: str, model: Path) -> list[str]:
    common = ["--layers", str(plan.layers), "--steps", str(plan.steps), "--threads", str(plan.threads)]
    if tool == "floor":
        return [str(plan.peers / "floor.py"), "--shape", plan.shape, *common]
    common += ["--model", str(model), "--device", plan.device, "--precision", plan.precision]
    if tool == "poetune":
        return [str(Path(__file__).with_name("own_train.py")), "--peers", str(plan.peers), *common]
    if tool == "peft":
        return [str(plan.peers / "train_peft_loop.py"), *common]
    return [str(plan.peers / "train_trl.py"), "--mode", tool, *common]


def _environment(plan: Plan) -> dict[str, str]:
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(plan.threads),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _run(command: list[str], plan: Plan) -> dict[str, Any]:
    ran = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=_environment(plan))
    lines = [line for line in ran.stdout.splitlines() if line.startswith('{"tool"')]
    if ran.returncode or not lines:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {ran.stderr[-600:]}")
    figures: dict[str, Any] = json.loads(lines[-1])
    return figures
