"""`poetune-bench`: poetune beside other tools, on one machine in one run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from poetune_bench import sweeping, table, writing
from poetune_bench.judge_command import judge
from poetune_bench.running import Plan, run_all
from poetune_bench.sweeping import BATCH, SweepPlan
from poetune_bench.training import TrainPlan
from poetune_bench.writing import WritePlan

_HERE = Path(__file__).resolve().parent
_DEPTHS = {"tiny": 12, "gpt2": 12, "qwen0.5b": 24, "qwen7b": 28}
PEERS = next((each for each in (_HERE / "peers", _HERE.parent / "peers") if each.is_dir()), _HERE)


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every comparison."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One object with rows and ratios."),
        click.option("--models", type=click.Path(path_type=Path), default=None, help="Keep the models made, here."),
        click.option(
            "--log", type=click.Path(path_type=Path), default=None, help="Keep each run's line; a rerun goes on there."
        ),
        click.option("--peers", type=click.Path(path_type=Path, exists=True, file_okay=False), default=PEERS),
        click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True),
        click.option("--device", default="cpu", show_default=True),
        click.option("--threads", type=int, default=1, show_default=True),
        click.option("--repeats", type=int, default=3, show_default=True),
    ):
        command = option(command)
    return command


def _runs(plan: Plan, peers: Path) -> list[dict[str, Any]]:
    if not (peers / "workload.py").is_file():
        raise click.ClickException(
            f"{peers} holds no workload.py; run from a clone, or name its bench/peers by --peers."
        )
    try:
        return run_all(plan, say=lambda text: click.echo(text, err=True))
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def main() -> None:
    """Timings of poetune beside other tools; see bench/README.md."""


main.add_command(judge)


@main.command()
@click.option("--shape", type=click.Choice(list(_DEPTHS)), default="tiny", show_default=True)
@click.option("--layers", type=int, default=None, help="Adapted layers, from the top; default: the upper half.")
@click.option("--steps", type=int, default=None, help="Steps of each tool; default: 60, or 12 on the larger shapes.")
@click.option(
    "--epochs", type=int, default=10, show_default=True, help="Passes over which filling the cache is spread."
)
@click.option("--tools", default="poetune,peft,padfree,nogc,default", show_default=True, help="Which, in which order.")
@click.option("--once", default="nogc,default", show_default=True, help="Of these, one repeat only.")
@_common
def train(
    shape: str,
    layers: int | None,
    steps: int | None,
    repeats: int,
    epochs: int,
    threads: int,
    device: str,
    precision: str,
    tools: str,
    once: str,
    peers: Path,
    log: Path | None,
    models: Path | None,
    as_json: bool,
) -> None:
    """Time training beside TRL and a plain peft loop: same model, poems, order and steps."""
    plan = TrainPlan(
        shape=shape,
        layers=layers or _DEPTHS[shape] // 2,
        steps=steps or (60 if shape == "tiny" else 12),
        repeats=repeats,
        threads=threads,
        device=device,
        precision=precision,
        tools=tuple(tools.split(",")),
        once=frozenset(once.split(",")),
        peers=peers.resolve(),
        log=log,
        models=models,
    )
    found = table.result(plan, _runs(plan, peers), epochs)
    click.echo(json.dumps(found) if as_json else table.text(found))


@main.command()
@click.option("--shape", type=click.Choice(list(_DEPTHS)), default="tiny", show_default=True)
@click.option("--layers", type=int, default=None, help="Adapted layers, from the top; default: the upper quarter.")
@click.option("--poems", type=int, default=None, help="Poems; default: 24, or 8 on the larger shapes.")
@click.option("--passes", type=click.IntRange(min=1), default=10, show_default=True, help="Epochs of each setting.")
@click.option("--settings", type=click.IntRange(1, 8), default=8, show_default=True)
@click.option("--trl-settings", type=click.IntRange(1, 8), default=8, show_default=True, help="TRL trains only these.")
@click.option("--mode", type=click.Choice(["padfree", "nogc", "default"]), default="padfree", show_default=True)
@_common
def sweep(
    shape: str,
    layers: int | None,
    poems: int | None,
    passes: int,
    settings: int,
    trl_settings: int,
    mode: str,
    repeats: int,
    threads: int,
    device: str,
    precision: str,
    peers: Path,
    log: Path | None,
    models: Path | None,
    as_json: bool,
) -> None:
    """Time `poetune finetune --sweep` beside a TRL run for each setting: whole processes, from start to adapters."""
    poems = poems or (24 if shape == "tiny" else 8)
    if poems % BATCH:
        raise click.UsageError(f"--poems must be a multiple of {BATCH}, the rows of a step.")
    plan = SweepPlan(
        shape=shape,
        layers=layers or _DEPTHS[shape] // 4,
        poems=poems,
        steps=passes * poems // BATCH,
        settings=settings,
        peer_settings=min(trl_settings, settings),
        mode=mode,
        repeats=repeats,
        threads=threads,
        device=device,
        precision=precision,
        peers=peers.resolve(),
        log=log,
        models=models,
    )
    found = sweeping.result(plan, _runs(plan, peers))
    click.echo(json.dumps(found) if as_json else sweeping.text(found))


@main.command()
@click.option("--poems", type=int, default=10_000, show_default=True)
@click.option("--presses", type=int, default=300, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One object.")
def review(poems: int, presses: int, as_json: bool) -> None:
    """Time the review page in headless Chromium, from a key to the next poem on the screen."""
    from poetune_bench import own_review

    found = own_review.measure(poems, presses)
    click.echo(json.dumps(found) if as_json else own_review.text(found))


@main.command()
@click.option("--shape", type=click.Choice(list(_DEPTHS)), default="tiny", show_default=True)
@click.option("--poems", type=int, default=None, help="Poems of each tool; default: 128, or 64 on the larger shapes.")
@click.option(
    "--loop", type=int, default=3, show_default=True, help="Of these, how many the process loop writes: typical ones."
)
@click.option("--whole", is_flag=True, help="transformers.generate writes whole poems too; else timed by the step.")
@click.option("--batches", default="8,32,64", show_default=True, help="Sizes that transformers.generate is tried with.")
@click.option("--batch", type=int, default=64, show_default=True, help="poetune's.")
@click.option("--tools", default=",".join(writing.TOOLS), show_default=True, help="Which, in which order.")
@click.option("--once", default="", help="Of these, one repeat only.")
@_common
def generate(
    shape: str,
    poems: int | None,
    loop: int,
    whole: bool,
    batches: str,
    batch: int,
    repeats: int,
    threads: int,
    device: str,
    precision: str,
    tools: str,
    once: str,
    peers: Path,
    log: Path | None,
    models: Path | None,
    as_json: bool,
) -> None:
    """Time writing beside transformers and a process a poem: same model, adapter, prompts, lengths and sampling."""
    plan = WritePlan(
        shape=shape,
        poems=poems or (128 if shape == "tiny" else 64),
        loop=loop,
        whole=whole,
        repeats=repeats,
        threads=threads,
        device=device,
        precision=precision,
        tools=tuple(tools.split(",")),
        once=frozenset(once.split(",")),
        batches=batches,
        batch=batch,
        peers=peers.resolve(),
        log=log,
        models=models,
    )
    found = writing.result(plan, _runs(plan, peers))
    click.echo(json.dumps(found) if as_json else writing.text(found))


if __name__ == "__main__":
    main()
