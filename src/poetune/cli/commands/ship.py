"""`poetune ship`: out of the house."""

from pathlib import Path

import click

from poetune.cli.session import Session, command


@command("ship", "poetune ship merged --to out/merged")
@click.argument("kind", type=click.Choice(["adapter", "merged"]), default="adapter")
@click.option("--to", type=click.Path(path_type=Path), default=None, help="Folder to write.")
@click.option("--model", default=None, help="Id of the checkpoint; the best if left out.")
def ship(session: Session, kind: str, to: Path | None, model: str | None) -> None:
    """Take a model out of the house: the adapter, or base and adapter merged, with a card that tells its lineage."""
    overrides = [f"ship.model={model}"] if model else []
    with session.studio(*overrides) as studio:
        done = studio.ship(kind, to)
    session.show(
        done, f"Shipped {done.kind} of {done.model} to {done.path} ({len(done.files)} files, hashes in SHA256SUMS)."
    )
