"""What a comparison of trainings is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OWN = Path(__file__).with_name("own_train.py")


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """Tools that train one job."""

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
    models: Path | None = None

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

    def made(self) -> str:
        """The model's folder."""
        return f"{self.shape}-{self.precision}"

    def making(self, folder: Path) -> list[str]:
        """The script that writes the model."""
        dtype = "bfloat16" if self.precision == "bf16" else "float32"
        return [str(self.peers / "workload.py"), "--shape", self.shape, "--out", str(folder), "--dtype", dtype]

    def command(self, tool: str, folder: Path) -> list[str]:
        """The script of a tool with its arguments."""
        common = ["--layers", str(self.layers), "--steps", str(self.steps), "--threads", str(self.threads)]
        if tool == "floor":
            return [str(self.peers / "floor.py"), "--shape", self.shape, *common]
        common += ["--model", str(folder / "model"), "--device", self.device, "--precision", self.precision]
        if tool == "poetune":
            return [str(_OWN), "--peers", str(self.peers), *common]
        if tool in ("mlx", "mlx-all"):
            cache = "auto" if tool == "mlx" else "off"
            return [str(_OWN), "--peers", str(self.peers), "--engine", "mlx", "--cache", cache, *common]
        if tool == "mlx-lm":
            return [str(self.peers / "train_mlx_lm.py"), *common]
        if tool == "peft":
            return [str(self.peers / "train_peft_loop.py"), *common]
        return [str(self.peers / "train_trl.py"), "--mode", tool, *common]

    def said(self, figures: dict[str, Any]) -> str:
        """Seconds and loss."""
        shown = figures.get("cpu_per_1k", figures.get("cached_per_1k"))
        return f"{shown} s per 1,000 tokens, held-out {figures.get('held_out', '-')}"
