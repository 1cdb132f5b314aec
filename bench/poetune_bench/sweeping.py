"""A sweep beside one run of TRL for each of its settings: the plan, the rows and the table."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

_OWN = Path(__file__).with_name("own_sweep.py")
_TRL = "trl"
BATCH = 4  # rows of a step, as in peers/workload.py


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """`settings` trained by poetune in one process; by TRL, in `mode`, those of `peer_settings` in a process each."""

    shape: str
    layers: int
    poems: int
    steps: int
    settings: int
    peer_settings: int
    mode: str
    repeats: int
    threads: int
    device: str
    precision: str
    peers: Path
    log: Path | None = None
    models: Path | None = None

    def key(self, tool: str, repeat: int) -> dict[str, Any]:
        """What names a run in the log; one setting of TRL is the same whatever else the sweep holds."""
        named = {
            "run": tool, "repeat": repeat, "shape": self.shape, "layers": self.layers, "poems": self.poems,
            "steps": self.steps, "threads": self.threads, "device": self.device, "precision": self.precision,
        }  # fmt: skip
        return {**named, **({"settings": self.settings} if tool == "poetune" else {"mode": self.mode})}

    def measured(self) -> list[int]:
        """The settings that TRL trains, spread evenly over all."""
        return sorted({i * self.settings // self.peer_settings for i in range(self.peer_settings)})

    def turns(self) -> Iterator[tuple[str, int]]:
        """poetune in the middle of TRL's runs, so that a change in the machine's mood meets both."""
        for repeat in range(self.repeats):
            numbers = self.measured()
            middle = len(numbers) // 2
            for number in numbers[:middle]:
                yield f"{_TRL} {number}", repeat
            yield "poetune", repeat
            for number in numbers[middle:]:
                yield f"{_TRL} {number}", repeat

    def made(self) -> str:
        """The folder of model, project and rows."""
        return f"sweep-{self.shape}-{self.precision}-{self.layers}-{self.poems}-{self.steps}-{self.settings}"

    def making(self, folder: Path) -> list[str]:
        """The script that writes them."""
        return [*self._own(folder), "--make", self.shape]

    def _own(self, folder: Path) -> list[str]:
        numbers = {
            "layers": self.layers, "steps": self.steps, "poems": self.poems, "settings": self.settings,
            "device": self.device, "precision": self.precision,
        }  # fmt: skip
        given = [text for name, value in numbers.items() for text in (f"--{name}", str(value))]
        return [str(_OWN), "--folder", str(folder), "--peers", str(self.peers), *given]

    def command(self, tool: str, folder: Path) -> list[str]:
        """The script of a tool with its arguments."""
        if tool == "poetune":
            return self._own(folder)
        return [
            str(self.peers / "train_trl.py"), "--mode", self.mode, "--model", str(folder / "model"),
            "--layers", str(self.layers), "--steps", str(self.steps), "--threads", str(self.threads),
            "--device", self.device, "--precision", self.precision,
            "--rows", str(folder / "rows.json"), "--setting", tool.removeprefix(f"{_TRL} "),
        ]  # fmt: skip

    def said(self, figures: dict[str, Any]) -> str:
        """Seconds and losses."""
        return f"{figures['job_cpu_s']} CPU s, {figures['job_wall_s']} s, held-out {figures['held_out']}"


def result(plan: SweepPlan, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """`rows`, one a tool with its seconds for all settings, `settings` with both losses, and `ratios`.

    `sweep` is TRL's seconds in poetune's, `memory` poetune's peak in TRL's largest, `held_out_spread` the largest
    difference between the two losses of a setting.
    """
    clock = "cpu" if plan.device == "cpu" and plan.threads == 1 else "wall"
    own = [run for run in runs if run["run"] == "poetune"]
    peer = {n: [run for run in runs if run["run"] == f"{_TRL} {n}"] for n in plan.measured()}
    every = [run for some in peer.values() for run in some]
    each = {kind: [median(run[f"job_{kind}_s"] for run in some) for some in peer.values()] for kind in ("cpu", "wall")}
    rows = [
        {
            "run": "poetune",
            "processes": 1,
            "measured": plan.settings,
            "cpu_seconds": median(run["job_cpu_s"] for run in own),
            "wall_seconds": median(run["job_wall_s"] for run in own),
            "seconds_of_settings": [median(some) for some in zip(*(run["seconds"] for run in own), strict=True)],
            "peak_mb": max(run["peak_mb"] for run in own),
            "cores_used_by_others": median(run["cores_used_by_others"] for run in own),
        },
        {
            "run": f"{_TRL} {plan.mode}",
            "processes": plan.settings,
            "measured": len(peer),
            "cpu_seconds": round(mean(each["cpu"]) * plan.settings, 2),
            "wall_seconds": round(mean(each["wall"]) * plan.settings, 2),
            "seconds_of_settings": each["wall"],
            "peak_mb": max(run["peak_mb"] for run in every),
            "cores_used_by_others": median(run["cores_used_by_others"] for run in every),
        },
    ]
    losses = [median(some) for some in zip(*(run["held_out"] for run in own), strict=True)]
    settings = [
        {
            "setting": label,
            "poetune": loss,
            "trl": median(run["held_out"] for run in peer[n]) if n in peer else None,
        }
        for n, (label, loss) in enumerate(zip(own[0]["labels"], losses, strict=True))
    ]
    both = [(s["poetune"], s["trl"]) for s in settings if s["trl"] is not None]
    ratios = {
        "sweep": rows[1][f"{clock}_seconds"] / rows[0][f"{clock}_seconds"],
        "memory": rows[0]["peak_mb"] / rows[1]["peak_mb"],
        "held_out_spread": max(max(pair) / min(pair) - 1 for pair in both),
    }
    return {
        "shape": plan.shape,
        "layers": plan.layers,
        "poems": plan.poems,
        "steps": plan.steps,
        "passes": plan.steps * BATCH / plan.poems,
        "threads": plan.threads,
        "device": plan.device,
        "precision": plan.precision,
        "repeats": plan.repeats,
        "clock": clock,
        "extrapolated": len(peer) < plan.settings,
        "rows": rows,
        "settings": settings,
        "ratios": {name: round(value, 6 if name == "held_out_spread" else 4) for name, value in ratios.items()},
    }


def text(found: dict[str, Any]) -> str:
    """Two tables as Markdown."""
    head = (
        f"{found['shape']}, last {found['layers']} layers, {len(found['settings'])} settings of {found['steps']} steps "
        f"({found['passes']:g} passes over {found['poems']} poems), {found['device']} ({found['threads']} threads), "
        f"{found['precision']}; seconds of whole processes: start, loading, filling, all steps, saving\n\n"
        "| tool | processes | CPU s | wall s | peak MB | others' cores |\n|---|---|---|---|---|---|"
    )
    lines = []
    for row in found["rows"]:
        more = f", extrapolated from {row['measured']}" if row["measured"] < len(found["settings"]) else ""
        lines.append(
            f"| {row['run']}{more} | {row['processes']} | {row['cpu_seconds']:.1f} | {row['wall_seconds']:.1f} | "
            f"{row['peak_mb']} | {row['cores_used_by_others']:.2f} |"
        )
    lines += ["", "| setting | held-out, poetune | held-out, trl |", "|---|---|---|"]
    for each in found["settings"]:
        other = "not run" if each["trl"] is None else f"{each['trl']:.6f}"
        lines.append(f"| {each['setting']} | {each['poetune']:.6f} | {other} |")
    ratios = ", ".join(f"{name} {value:g}" for name, value in found["ratios"].items())
    return "\n".join([head, *lines, "", f"ratios: {ratios}"])
