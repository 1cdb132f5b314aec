"""`poetune init`: a new project folder."""

from pathlib import Path

import click

from poetune.cli.session import Session, command


@command("init", "poetune init my-poet --name 'Wang Wei' --language zh")
@click.argument("folder", type=click.Path(path_type=Path), default=None, required=False)
@click.option("--name", default="", help="The poet's name; the folder's name if left out.")
@click.option("--language", type=click.Choice(["auto", "en", "zh"]), default="auto", help="The poems' language.")
@click.option("--base", default="starter", help="Base model: `starter` (bundled), a local folder or a hub id.")
@click.option("--engine", type=click.Choice(["auto", "torch", "echo"]), default="auto", help="What trains and writes.")
def init(session: Session, folder: Path | None, name: str, language: str, base: str, engine: str) -> None:
    """Make a project: a folder with poet.yaml (the recipe) and poet.db (everything else)."""
    from poetune.cli.screen import Screen
    from poetune.studio import init as stage

    made = stage.create(folder or session.project, name, language, base, engine, Screen(), session.overrides)
    session.show(
        made, f"Made {made.folder} for {made.name}.\nNext: cd {made.folder} && poetune corpus FOLDER_OR_FILE_OF_POEMS"
    )
