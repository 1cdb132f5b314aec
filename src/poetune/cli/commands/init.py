"""`poetune init`: a new project folder."""

from pathlib import Path

import click

from poetune.backends.table import CHOICES
from poetune.cli.session import Session, command


@command("init", "poetune init my-poet --preset personal-zh --model Qwen/Qwen2.5-14B-Instruct")
@click.argument("folder", type=click.Path(path_type=Path), default=None, required=False)
@click.option("--name", default="", help="The poet's name; the folder's name if left out.")
@click.option("--language", type=click.Choice(["auto", "en", "zh"]), default=None, help="The poems' language.")
@click.option(
    "--base", "--model", "base", default="", help="Base model: `starter` (bundled), a local folder or a hub id."
)
@click.option("--engine", type=click.Choice(CHOICES), default=None, help="What trains and writes.")
@click.option("--preset", default="", metavar="NAME", help="Start from the recipe of a known project.")
@click.option("--list-presets", is_flag=True, help="Say which presets there are, and stop.")
def init(
    session: Session,
    folder: Path | None,
    name: str,
    language: str | None,
    base: str,
    engine: str | None,
    preset: str,
    list_presets: bool,
) -> None:
    """Make a project: a folder with poet.yaml (the recipe) and poet.db (everything else)."""
    from poetune.cli.screen import Screen
    from poetune.studio import init as stage

    if list_presets:
        found = stage.list_presets()
        width = max(len(one["name"]) for one in found)
        session.show({"presets": found}, "\n".join(f"{one['name']:{width}}  {one['about']}" for one in found))
        return
    made = stage.create(
        folder or session.project, name, language or "", base, engine or "", Screen(), session.overrides, preset
    )
    if made.files:
        step = f"poetune corpus   (reads {', '.join(made.files)}; or name other files of poems)"
    else:
        step = "poetune corpus FOLDER_OR_FILE_OF_POEMS"
    session.show(made, f"Made {made.folder} for {made.name}.\nNext: cd {made.folder} && {step}")
