"""`poetune-bench`: poetune beside other tools, on one machine in one run."""

import json
from pathlib import Path

import click

from poetune_bench import table
from poetune_bench.running import Plan, run_all

_HERE = Path(__file__).resolve().parent
_PEERS = next((each for each in (_HERE / "peers", _HERE.parent / "peers") if each.is_dir()), _HERE)


@click.group()
def main() -> None:
    """Timings of poetune beside other tools; see bench/README.md."""


@main.command()
@click.option("--shape", type=click.Choice(["tiny", "gpt2", "qwen0.5b", "qwen7b"]), default="tiny", show_default=True)
@click.option("--layers", type=int, default=None, help="Adapted layers, from the top; default: the upper half.")
@click.option("--steps", type=int, default=None, help="Steps of each tool; default: 60, or 12 on the larger shapes.")
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option(
    "--epochs", type=int, default=10, show_default=True, help="Passes over which filling the cache is spread."
)
@click.option("--threads", type=int, default=1, show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True)
@click.option("--tools", default="poetune,peft,padfree,nogc,default", show_default=True, help="Which, in which order.")
@click.option("--once", default="nogc,default", show_default=True, help="Of these, one repeat only.")
@click.option("--peers", type=click.Path(path_type=Path, exists=True, file_okay=False), default=_PEERS)
@click.option(
    "--log", type=click.Path(path_type=Path), default=None, help="Keep each run's line; a rerun goes on there."
)
@click.option("--json", "as_json", is_flag=True, help="One object with rows and ratios.")
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
    as_json: bool,
) -> None:
    """Time training beside TRL and a plain peft loop: same model, poems, order and steps."""
    depth = {"tiny": 12, "gpt2": 12, "qwen0.5b": 24, "qwen7b": 28}[shape]
    if not (peers / "workload.py").is_file():
        raise click.ClickException(
            f"{peers} holds no workload.py; run from a clone, or name its bench/peers by --peers."
        )
    plan = Plan(
        shape=shape,
        layers=layers or depth // 2,
        steps=steps or (60 if shape == "tiny" else 12),
        repeats=repeats,
        threads=threads,
        device=device,
        precision=precision,
        tools=tuple(tools.split(",")),
        once=frozenset(once.split(",")),
        peers=peers.resolve(),
        log=log,
    )
    found = table.result(plan, run_all(plan, say=lambda text: click.echo(text, err=True)), epochs)
    click.echo(json.dumps(found) if as_json else table.text(found))


@main.command()
@click.option("--poems", type=int, default=10_000, show_default=True)
@click.option("--presses", type=int, default=300, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One object.")
def review(poems: int, presses: int, as_json: bool) -> None:
    """Time the review page in headless Chromium, from a key to the next poem on the screen."""
    from poetune_bench import own_review

    found = own_review.measure(poems, presses)
    click.echo(json.dumps(found) if as_json else own_review.text(found))


if __name__ == "__main__":
    main()
