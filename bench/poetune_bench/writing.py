"""A comparison of writing: what is run, and what comes of the figures."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

_OWN = Path(__file__).with_name("own_generate.py")
_SCRIPTS = {"generate": "generate_static.py", "generate_batch": "generate_batch.py", "loop": "generate_loop.py"}
TOOLS = ("poetune", *_SCRIPTS)


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Tools that write the poems of one grid. `loop` is how many of them the process loop writes."""

    shape: str
    poems: int
    loop: int
    whole: bool
    repeats: int
    threads: int
    device: str
    precision: str
    tools: tuple[str, ...]
    once: frozenset[str]
    batches: str
    batch: int
    peers: Path
    log: Path | None = None
    models: Path | None = None

    def key(self, tool: str, repeat: int) -> dict[str, Any]:
        """What names a run in the log."""
        own: dict[str, dict[str, Any]] = {
            "generate": {"batches": self.batches, "whole": self.whole},
            "poetune": {"own_batch": self.batch},
            "loop": {"of": self.poems},
        }
        return {
            "run": tool,
            "repeat": repeat,
            "shape": self.shape,
            "asked": self.loop if tool == "loop" else self.poems,
            "threads": self.threads,
            "device": self.device,
            "precision": self.precision,
            **own.get(tool, {}),
        }

    def turns(self) -> Iterator[tuple[str, int]]:
        """Tools alternate, so that a change in the machine's mood meets them all."""
        for repeat in range(self.repeats):
            for tool in self.tools:
                if repeat == 0 or tool not in self.once:
                    yield tool, repeat

    def made(self) -> str:
        """The folder of the model and its adapter."""
        return f"{self.shape}-{self.precision}-adapter"

    def making(self, folder: Path) -> list[str]:
        """The script that writes them."""
        dtype = "bfloat16" if self.precision == "bf16" else "float32"
        script = str(self.peers / "workload.py")
        return [script, "--shape", self.shape, "--out", str(folder), "--dtype", dtype, "--adapter"]

    def command(self, tool: str, folder: Path) -> list[str]:
        """The script of a tool with its arguments."""
        common = [
            *("--model", str(folder / "model"), "--adapter", str(folder / "adapter")),
            *("--poems", str(self.loop if tool == "loop" else self.poems), "--threads", str(self.threads)),
            *("--device", self.device, "--precision", self.precision),
        ]
        if tool == "poetune":
            return [str(_OWN), "--peers", str(self.peers), "--batch", str(self.batch), *common]
        if tool == "generate":
            common += ["--batches", self.batches, *(["--whole"] if self.whole else [])]
        if tool == "loop":
            common += ["--of", str(self.poems)]
        return [str(self.peers / _SCRIPTS[tool]), *common]

    def said(self, figures: dict[str, Any]) -> str:
        """The rate."""
        return f"{figures['tokens_per_wall_s']} tokens/s, {figures['tokens_per_cpu_s']} a CPU second"


def result(plan: WritePlan, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """`rows`, one a tool with its medians, and `ratios`: how many times the others' rate poetune writes at.

    `transformers_best` is over the faster of `generate` and `generate_batch`; `process_loop` is over one process a
    poem, its start-up counted; `memory` is poetune's peak in that of transformers' faster one.
    """
    clock = "cpu" if plan.device == "cpu" and plan.threads == 1 else "wall"
    rows = [_row(tool, [run for run in runs if run["run"] == tool], clock) for tool in plan.tools]
    by_tool = {row["run"]: row for row in rows}
    own = by_tool.get("poetune")
    peers = [by_tool[tool] for tool in ("generate", "generate_batch") if tool in by_tool]
    best = max(peers, key=lambda row: row["tokens_per_s"], default=None)
    ratios: dict[str, float] = {}
    if own and best:
        ratios["transformers_best"] = own["tokens_per_s"] / best["tokens_per_s"]
        ratios["memory"] = own["peak_mb"] / best["peak_mb"]
    if own and "loop" in by_tool:
        ratios["process_loop"] = own["tokens_per_s"] / by_tool["loop"]["tokens_per_s"]
    return {
        "shape": plan.shape,
        "threads": plan.threads,
        "device": plan.device,
        "precision": plan.precision,
        "clock": clock,
        "rows": rows,
        "ratios": {name: round(value, 4) for name, value in ratios.items()},
    }


def _row(tool: str, runs: list[dict[str, Any]], clock: str) -> dict[str, Any]:
    rates = [run[f"tokens_per_{clock}_s"] for run in runs]
    return {
        "run": tool,
        "repeats": len(runs),
        "poems": runs[0]["poems"],
        "tokens": runs[0]["tokens"],
        "extrapolated": runs[0].get("extrapolated", False),
        "batch": runs[0].get("batch"),
        "tokens_per_s": median(rates),
        "least": min(rates),
        "most": max(rates),
        "poems_per_min": round(60 / median(run[f"{clock}_per_poem"] for run in runs), 2),
        "setup_s": median(run.get("setup_s", 0.0) for run in runs),
        "peak_mb": max(run["peak_mb"] for run in runs),
        "cores_used_by_others": median(run["cores_used_by_others"] for run in runs),
    }


def text(found: dict[str, Any]) -> str:
    """The table as Markdown."""
    head = (
        f"{found['shape']}, {found['device']} ({found['threads']} threads), {found['precision']}; per {found['clock']} "
        "second\n\n| tool | tokens/s | least - most | poems/min | poems written | batch | peak MB | others' cores |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    lines = [
        f"| {row['run']} | {row['tokens_per_s']:.1f}{' (extrapolated)' if row['extrapolated'] else ''} | "
        f"{row['least']:.1f} - {row['most']:.1f} | {row['poems_per_min']} | {row['poems']} | {row['batch'] or ''} | "
        f"{row['peak_mb']} | {row['cores_used_by_others']:.2f} |"
        for row in found["rows"]
    ]
    ratios = ", ".join(f"{name} {value:.3f}" for name, value in found["ratios"].items())
    return "\n".join([head, *lines, "", f"ratios: {ratios}"])
