"""`poetune ship`: out of the house."""

from pathlib import Path
from typing import Any

import click

from poetune.cli.session import Session, command


@command("ship", "poetune ship adapter --to mlx")
@click.argument("kind", type=click.Choice(["adapter", "merged"]), default="adapter")
@click.option("--to", multiple=True, help="Folder to write; `mlx` or `peft` converts an adapter, beside a folder too.")
@click.option("--model", default=None, help="Id of the checkpoint; the best if left out.")
def ship(session: Session, kind: str, to: tuple[str, ...], model: str | None) -> None:
    """Take a model out of the house: the adapter, or base and adapter merged, with a card that tells its lineage."""
    formats: list[Any] = [each for each in to if each in ("mlx", "peft")]
    folders = [Path(each) for each in to if each not in ("mlx", "peft")]
    if len(formats) > 1 or len(folders) > 1:
        raise click.UsageError("--to names one folder and one format at most.")
    overrides = [f"ship.model={model}"] if model else []
    with session.studio(*overrides) as studio:
        done = studio.ship(kind, folders[0] if folders else None, formats[0] if formats else None)
    session.show(
        done, f"Shipped {done.kind} of {done.model} to {done.path} ({len(done.files)} files, hashes in SHA256SUMS)."
    )
