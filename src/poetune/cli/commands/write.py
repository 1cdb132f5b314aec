"""`poetune write`: one poem at once."""

from pathlib import Path

import click

from poetune.cli.session import Session, command


@command("write", "poetune write rain --append samples.txt")
@click.argument("theme", default="")
@click.option("--first-line", default="", help="The poem's first line.")
@click.option(
    "--continue",
    "unfinished",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="File with an unfinished poem to go on with.",
)
@click.option("--poems", type=click.IntRange(min=1), default=1, help="How many.")
@click.option("--template", default="", help="Prompt template; the first of generate.templates if left out.")
@click.option("--base", "from_base", is_flag=True, help="From the base instead of the best checkpoint.")
@click.option("--seed", type=int, default=None, help="Seed; the recipe's if left out.")
@click.option("--append", type=click.Path(path_type=Path), default=None, help="Add poems and prompts to this file.")
def write(
    session: Session,
    theme: str,
    first_line: str,
    unfinished: Path | None,
    poems: int,
    template: str,
    from_base: bool,
    seed: int | None,
    append: Path | None,
) -> None:
    """Write one poem at once: on THEME from the best model, or on from a first line or an unfinished poem."""
    theme = theme.strip()
    if not (theme or first_line.strip() or unfinished):
        raise click.UsageError('name a theme (poetune write "rain"), --first-line or --continue FILE.')
    if first_line and unfinished:
        raise click.UsageError("give --first-line or --continue, not both.")
    with session.studio() as studio:
        done = studio.write(theme, first_line, unfinished, poems, template, from_base, seed, append)
    session.show(done, "\n\n".join(done.texts))
