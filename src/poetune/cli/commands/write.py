"""`poetune write`: one poem at once."""

import sys
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
@click.option("--writer", default="", metavar="NAME", help="Who writes: a step, a model's id, or URL#name of a server.")
@click.option("--seed", type=int, default=None, help="Seed; the recipe's if left out.")
@click.option(
    "--again", type=click.IntRange(min=1), default=None, metavar="LINE", help="Write this line anew, in place."
)
@click.option("--alternatives", type=click.IntRange(min=1), default=1, help="With --again: so many new lines.")
@click.option("--append", type=click.Path(path_type=Path), default=None, help="Add poems and prompts to this file.")
def write(
    session: Session,
    theme: str,
    first_line: str,
    unfinished: Path | None,
    poems: int,
    template: str,
    from_base: bool,
    writer: str,
    seed: int | None,
    append: Path | None,
    again: int | None,
    alternatives: int,
) -> None:
    """Write one poem at once: on THEME from the best model, or on from a first line or an unfinished poem.

    On a terminal it is seen as it grows. --again LINE writes a line of the poem anew (with --continue, of the one in
    the file): another one at each call, --alternatives of them, the one first that leads best into what follows.
    """
    theme = theme.strip()
    if not (theme or first_line.strip() or unfinished):
        raise click.UsageError('name a theme (poetune write "rain"), --first-line or --continue FILE.')
    if first_line and unfinished:
        raise click.UsageError("give --first-line or --continue, not both.")
    if writer and from_base:
        raise click.UsageError("give --writer or --base, not both.")
    if alternatives > 1 and not again:
        raise click.UsageError("--alternatives goes with --again LINE; --poems writes several poems.")
    if again and poems > 1:
        raise click.UsageError("--again writes a line of one poem; leave --poems out.")
    live = None
    with session.studio() as studio:
        if sys.stdout.isatty() and not session.json and not again:
            from poetune.cli.live import Live
            from poetune.cli.screen import Screen

            live, studio.listener = Live(), Screen(bars=False)
        done = studio.write(
            theme,
            first_line,
            live,
            unfinished=unfinished,
            poems=poems,
            template=template,
            from_base=from_base,
            writer=writer,
            seed=seed,
            append=append,
            again=again or 0,
            alternatives=alternatives,
        )
    if live is not None:
        live.close(done.texts)
        return
    lines = "".join(f"  {number}  {line}\n" for number, line in enumerate(done.lines, start=1))
    head = f"line {again} was: {done.was}\n{lines}\nWith the first of them:\n\n" if alternatives > 1 else ""
    session.show(done, head + (done.texts[0] if again else "\n\n".join(done.texts)))
