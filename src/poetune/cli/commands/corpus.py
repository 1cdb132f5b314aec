"""`poetune corpus`: files become poems."""

from pathlib import Path

import click

from poetune.cli.session import Session, command


@command("corpus", "poetune corpus poems.csv --map content=text --where age=Renaissance --where type=Love")
@click.argument("files", nargs=-1, metavar="FILES_OR_FOLDERS")
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="Column names, e.g. content=text.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Keep only rows with this value.")
@click.option("--limit", type=click.IntRange(min=0), default=None, help="At most so many poems; 0 = all.")
@click.option("--separator", default=None, help="Line that parts the poems of one file, e.g. ---.")
@click.option("--join-lines-by", default=None, metavar="COLUMN", help="Rows with the same value are lines of one poem.")
@click.option("--mend-line-breaks", is_flag=True, default=None, help="Break lines where words were fused at capitals.")
@click.option("--encoding", default=None, help="Read files in this encoding instead of recognising it.")
@click.option("--preview", is_flag=True, help="Show how files would fall into poems; take nothing.")
@click.option("--yes", is_flag=True, help="Part a file of many poems by its own rule without asking.")
def corpus(
    session: Session,
    files: tuple[str, ...],
    mapping: tuple[str, ...],
    where: tuple[str, ...],
    limit: int | None,
    separator: str | None,
    join_lines_by: str | None,
    mend_line_breaks: bool | None,
    encoding: str | None,
    preview: bool,
    yes: bool,
) -> None:
    """Take poems in: a folder, txt, md, csv, jsonl, json, zip, or a hub data set as hub:OWNER/NAME."""
    import sys
    from dataclasses import asdict

    given: dict[str, object] = {
        "files": [f if f.startswith("hub:") else str(Path(f).resolve()) for f in files] or None,
        "map": dict(_pair(m) for m in mapping) or None,
        "where": dict(_pair(w) for w in where) or None,
        "limit": limit,
        "separator": separator,
        "join_lines_by": join_lines_by,
        "mend_line_breaks": mend_line_breaks,
        "encoding": encoding,
    }
    with session.studio(*_overrides("corpus", given)) as studio:
        shown = studio.preview()
        split = bool(shown) and not separator and yes
        if shown and not separator and (preview or (not yes and not session.json and sys.stdin.isatty())):
            for one in shown:
                heads = "; ".join(one.openings)
                click.echo(f"{one.file}: {one.poems} poems, {one.says}. They begin: {heads}", err=True)
            if not preview:
                split = click.confirm("Part them so? (no: each file stays one poem)", default=True, err=True)
        if preview:
            session.show(
                {"files": [asdict(one) for one in shown]},
                "Nothing was taken (--preview)." if shown else "No file here holds several poems that need parting.",
            )
            return
        if not split:
            taken = studio.corpus()
    if split:
        with session.studio(*_overrides("corpus", {**given, "separator": "auto"})) as studio:
            taken = studio.corpus()
    prose = [f"{taken.new} new poems from {taken.files} file(s); the corpus now has {taken.total}."]
    if taken.twins:
        prose += [f"Near twins: {a!r} and {b!r} ({share:.0%} of lines)." for a, b, share in taken.twins[:5]]
    prose += [f"Skipped {s.file}{f' row {s.row}' if s.row else ''}: {s.why}" for s in taken.skipped[:10]]
    if len(taken.skipped) > 10:
        prose.append(f"... and {len(taken.skipped) - 10} more skipped (all with --json).")
    prose += [f"Note: {note}" for note in taken.notes]
    session.show(taken, "\n".join([*prose, "Next: poetune dataset"]))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{text!r} must be written as NAME=VALUE.")
    return key.strip(), value.strip()


def _overrides(section: str, given: dict[str, object]) -> list[str]:
    import json

    return [
        f"{section}.{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items() if value is not None
    ]
