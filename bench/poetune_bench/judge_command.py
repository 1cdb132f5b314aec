"""`poetune-bench judge`: which way of asking an erring judge finds the best poems, and for how many calls."""

import json
from typing import Any

import click

from poetune.recipe import Simulated
from poetune_bench.judging import WAYS, measure

_COLUMNS = ("calls", "recall5", "recall5_error", "top20")


@click.command()
@click.option("--candidates", type=click.IntRange(min=20), default=1000, show_default=True)
@click.option("--seeds", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--first-seed", type=int, default=0, show_default=True)
@click.option("--accuracy", type=click.FloatRange(0.5, 1, min_open=True), default=0.8, show_default=True)
@click.option("--persistent", type=click.FloatRange(0, 1), default=0.0, help="Share of the error that stays.")
@click.option("--garbage", type=click.FloatRange(0, 1), default=0.0, help="Share of answers that cannot be read.")
@click.option("--slot-bias", type=float, default=0.0, help="Standard deviation over slots of a liking for early ones.")
@click.option("--length-bias", type=float, default=0.0, help="Liking for a poem e times as long.")
@click.option("--calls", type=click.IntRange(min=0), default=0, help="The same calls for each way; 0 = its own plan.")
@click.option("--ways", default=",".join(WAYS), show_default=True)
@click.option("--checks/--no-checks", default=True, help="Also a biased judge, and a persistent error at equal calls.")
@click.option("--json", "as_json", is_flag=True, help="One object, a key a way, and `checks`.")
def judge(
    candidates: int, seeds: int, first_seed: int, calls: int, ways: str, checks: bool, as_json: bool, **errs: float
) -> None:
    """Recall of the best five, share of the picks among the best twenty, and calls, with a simulated judge."""
    chosen = [way for way in ways.split(",") if way in WAYS]
    own = Simulated(**errs)

    def table(settings: Simulated, limit: int, names: list[str]) -> dict[str, Any]:
        return {way: measure(way, candidates, seeds, settings, limit, first_seed) for way in names}

    found = table(own, calls, chosen)
    shown = [(_named(own), found)]
    result: dict[str, Any] = dict(found)
    if checks and "funnel" in chosen:
        biased = own.model_copy(update={"garbage": 0.03, "slot_bias": 0.5})
        stays = own.model_copy(update={"persistent": 0.5})
        equal = round(found["funnel"]["calls"])
        result["checks"] = {
            "biased": table(biased, calls, ["funnel"]),
            "persistent": table(stays, equal, chosen),
        }
        shown += [(_named(biased), result["checks"]["biased"])]
        shown += [(f"{_named(stays)}; {equal} calls for each", result["checks"]["persistent"])]
    result["settings"] = {"candidates": candidates, "seeds": seeds, "first_seed": first_seed, **own.model_dump()}
    if as_json:
        click.echo(json.dumps(result))
        return
    click.echo(f"{candidates} candidates, {seeds} seeds")
    for title, rows in shown:
        click.echo(f"\n{title}\n\n| way | {' | '.join(_COLUMNS)} |\n|---|{'---|' * len(_COLUMNS)}")
        for way, row in rows.items():
            figures = " | ".join(f"{row[name]:.3f}" for name in _COLUMNS[1:])
            click.echo(f"| {way} | {row['calls']:.0f} | {figures} |")


def _named(settings: Simulated) -> str:
    parts = [f"{settings.accuracy:.0%} of pairs right"]
    parts += [f"{settings.persistent:.0%} of the error persistent"] if settings.persistent else ["fresh noise"]
    parts += [f"{settings.garbage:.0%} garbage"] if settings.garbage else []
    parts += [f"slot bias {settings.slot_bias:g}"] if settings.slot_bias else []
    parts += [f"length bias {settings.length_bias:g}"] if settings.length_bias else []
    return ", ".join(parts)
