"""Runs to rows, ratios and a table."""

from statistics import median
from typing import Any

from poetune_bench.training import TrainPlan

_JOB_EPOCHS, _JOB_POEMS = 40, 100


def result(plan: TrainPlan, runs: list[dict[str, Any]], epochs: int) -> dict[str, Any]:
    """`rows`, one a tool with its medians, and `ratios`: how many times poetune's seconds the others take.

    `floor` is poetune's seconds in floors with the cache, `memory` poetune's peak in TRL's best; `sweep8` compares
    eight settings over `epochs` passes, filling once, with eight runs of TRL's best.
    """
    clock = "cpu_per_1k" if plan.device == "cpu" and plan.threads == 1 else "wall_per_1k"
    rows = [_row(tool, [r for r in runs if r["run"] == tool], clock, epochs) for tool in plan.tools]
    floors = [r for r in runs if r["run"] == "floor"]
    floor = median(f["cached_per_1k"] + f["fill_per_1k"] / epochs for f in floors)
    by_tool = {row["run"]: row for row in rows}
    own = by_tool.get("poetune")
    trl = [row for row in rows if row["run"] in ("default", "nogc", "padfree")]
    best = min(trl, key=lambda row: row["per_1k"], default=None)
    ratios: dict[str, float] = {}
    if own:
        ratios["floor"] = own["per_1k"] / floor
        if best:
            ratios["trl_best"] = best["per_1k"] / own["per_1k"]
            ratios["memory"] = own["peak_mb"] / best["peak_mb"]
            ratios["sweep8"] = 8 * epochs * best["per_1k"] / (8 * epochs * own["step_per_1k"] + own["opening_per_1k"])
        for name, tool in (("trl_default", "default"), ("peft_loop", "peft")):
            if tool in by_tool:
                ratios[name] = by_tool[tool]["per_1k"] / own["per_1k"]
        losses = [row["held_out"] for row in rows]
        ratios["held_out_spread"] = max(losses) / min(losses) - 1
    return {
        "shape": plan.shape,
        "layers": plan.layers,
        "steps": plan.steps,
        "threads": plan.threads,
        "device": plan.device,
        "precision": plan.precision,
        "clock": clock,
        "epochs": epochs,
        "rows": rows,
        "floor": {"cached_per_1k": round(floor, 4), "plain_per_1k": median(f["plain_per_1k"] for f in floors)},
        "ratios": {name: round(value, 4) for name, value in ratios.items()},
    }


def _row(tool: str, runs: list[dict[str, Any]], clock: str, epochs: int) -> dict[str, Any]:
    step = median(r[clock] for r in runs)
    opening = median(r["opening"][0][clock] if "opening" in r else 0.0 for r in runs)
    tokens = runs[0]["tokens"] / runs[0]["ticks"] * 25  # of a pass over 100 poems
    return {
        "run": tool,
        "repeats": len(runs),
        "per_1k": round(step + opening / epochs, 4),
        "step_per_1k": step,
        "opening_per_1k": opening,
        "least": min(r[clock] for r in runs),
        "most": max(r[clock] for r in runs),
        "seconds_per_step": median(r["wall_per_step"] for r in runs),
        "cpu_seconds": median(r["cpu_seconds"] for r in runs),
        "tokens": runs[0]["tokens"],
        "peak_mb": max(r["peak_mb"] for r in runs),
        "held_out": median(r["held_out"] for r in runs),
        "cores_used_by_others": median(r["cores_used_by_others"] for r in runs),
        "job_seconds_extrapolated": round((step * _JOB_EPOCHS + opening) * tokens / 1000),
    }


def text(found: dict[str, Any]) -> str:
    """The table as Markdown."""
    head = (
        f"{found['shape']}, last {found['layers']} layers, {found['steps']} steps, {found['device']} "
        f"({found['threads']} threads), {found['precision']}; {found['clock'].split('_')[0]} seconds\n\n"
        "| tool | s per 1,000 tokens | least - most | s per step | peak MB | held-out | others' cores | "
        f"{_JOB_EPOCHS} epochs of {_JOB_POEMS} poems, extrapolated |\n|---|---|---|---|---|---|---|---|"
    )
    lines = [
        f"| {r['run']} | {r['per_1k']:.3f} | {r['least']:.3f} - {r['most']:.3f} | {r['seconds_per_step']:.3f} | "
        f"{r['peak_mb']} | {r['held_out']:.6f} | {r['cores_used_by_others']:.2f} | {r['job_seconds_extrapolated']} s |"
        for r in found["rows"]
    ]
    floor = f"| floor with the cache | {found['floor']['cached_per_1k']:.3f} | | | | | | |"
    ratios = ", ".join(f"{name} {value:.3f}" for name, value in found["ratios"].items())
    return "\n".join([head, *lines, floor, "", f"ratios: {ratios}"])
