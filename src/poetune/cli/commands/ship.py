"""`poetune ship`: out of the house."""

from pathlib import Path
from typing import Any

import click

from poetune.cli.session import Session, command


@command("ship", "poetune ship adapter --to mlx")
@click.argument("kind", type=click.Choice(["adapter", "merged", "ollama", "chapbook"]), default="adapter")
@click.option("--to", multiple=True, help="Folder to write; `mlx` or `peft` converts an adapter, beside a folder too.")
@click.option("--model", default=None, help="Id of the checkpoint or blend; the best checkpoint if left out.")
@click.option("--push", "repo", default="", metavar="OWNER/NAME", help="Upload it to the hub too, private.")
@click.option("--public", is_flag=True, help="With --push: for everyone to see.")
def ship(session: Session, kind: str, to: tuple[str, ...], model: str | None, repo: str, public: bool) -> None:
    """Take a model out of the house: the adapter, or base and adapter merged, with a card that tells its lineage.

    `ollama` adds a Modelfile to the merged model; `chapbook` prints the accepted poems instead.
    """
    formats: list[Any] = [each for each in to if each in ("mlx", "peft")]
    folders = [Path(each) for each in to if each not in ("mlx", "peft")]
    if len(formats) > 1 or len(folders) > 1:
        raise click.UsageError("--to names one folder and one format at most.")
    if public and not repo:
        raise click.UsageError("--public goes with --push OWNER/NAME.")
    if kind == "chapbook":
        if formats or model or repo:
            raise click.UsageError("a chapbook takes --to FOLDER and nothing else.")
        with session.studio() as studio:
            book = studio.chapbook(folders[0] if folders else None)
        session.show(book, f"{book.poems} poems in {book.markdown} and {book.html} (print it to A5).")
        return
    overrides = [f"ship.model={model}"] if model else []
    with session.studio(*overrides) as studio:
        done = studio.ship(kind, folders[0] if folders else None, formats[0] if formats else None, repo, public)
    session.show(
        done,
        f"Shipped {done.kind} of {done.model} to {done.path} ({len(done.files)} files, hashes in SHA256SUMS)."
        + (f"\nUploaded to {done.pushed}" if done.pushed else ""),
    )
