"""`poetune generate`: the grid of checkpoints x templates x themes."""

from pathlib import Path

import click

from poetune.cli.session import Session, command


@command("generate", "poetune generate --themes themes.txt --from-step 300 --per-cell 2")
@click.argument("verb", type=click.Choice(["grid", "scout"]), default="grid")
@click.option("--themes", multiple=True, help="A theme, or a file of themes; may be given again.")
@click.option("--templates", default=None, help="Template names, by commas.")
@click.option("--per-cell", type=click.IntRange(min=1), default=None, help="Poems per checkpoint, template and theme.")
@click.option("--from-step", type=click.IntRange(min=0), default=None, help="Leave earlier checkpoints out.")
@click.option("--checkpoints", type=click.IntRange(min=0), default=None, help="The latest N checkpoints; 0 = all.")
@click.option("--code", type=int, default=None, help="One checkpoint and template by code: step + 0..4, e.g. 1203.")
@click.option("--stage", multiple=True, metavar="NAME", help="By this stage, or `base`; may be given again.")
@click.option("--scouted", is_flag=True, help="Only the checkpoints and templates that scouting proposed.")
@click.option("--max-themes", type=click.IntRange(min=1), default=None, help="The first N themes only.")
def generate(
    session: Session,
    verb: str,
    themes: tuple[str, ...],
    templates: str | None,
    per_cell: int | None,
    from_step: int | None,
    checkpoints: int | None,
    code: int | None,
    stage: tuple[str, ...],
    scouted: bool,
    max_themes: int | None,
) -> None:
    """Write the grid; run again, it fills only what is missing.

    `scout` writes a tenth first: a few themes by every checkpoint in every template; it ranks them and proposes which
    deserve the rest, which --scouted then writes.
    """
    import json

    from poetune.cli.gates import gates_text

    given: dict[str, object] = {
        "themes": [str(Path(t).resolve()) if Path(t).is_file() else t for t in themes] or None,
        "templates": [t.strip() for t in templates.split(",")] if templates else None,
        "per_cell": per_cell,
        "from_step": from_step,
        "checkpoints": checkpoints,
    }
    overrides = [f"generate.{k}={json.dumps(v, ensure_ascii=False)}" for k, v in given.items() if v is not None]
    if verb == "scout":
        if code is not None or scouted or max_themes is not None:
            raise click.UsageError("scout takes neither --code, --scouted nor --max-themes; it chooses by itself.")
        _scout(session, overrides, stage)
        return
    with session.studio(*overrides) as studio:
        done = studio.generate(max_themes=max_themes, code=code, stages=stage, scouted=scouted)
    ways = f" x {len(done.ways)} ways of drawing" if done.ways else ""
    prose = (
        f"{done.written} poems written, {done.existing} were there already "
        f"({done.models} {'models' if stage else 'checkpoints'} x {done.prompts} prompts "
        f"(themes and openings in {done.templates} templates) x {done.per_cell}{ways})."
    )
    if done.written:
        prose += f" {done.per_minute:.0f} poems a minute; {done.ended:.0%} ended of themselves."
    if done.gates:
        prose += "\n" + gates_text(done.gates)
    if done.ways:
        from poetune.generate.ways import ways_text

        prose += "\n" + ways_text(done.ways)
    session.show(done, prose + "\nNext: poetune judge")


def _scout(session: Session, overrides: list[str], stages: tuple[str, ...]) -> None:
    from poetune.cli.scouting import scouted_text

    with session.studio(*overrides) as studio:
        found = studio.scout(stages)
    session.show(found, scouted_text(found))
