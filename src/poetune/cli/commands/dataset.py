"""`poetune dataset`: poems become examples; `themes` and `export` are its side doors."""

from pathlib import Path

import click

from poetune.cli.session import Session, command


@command("dataset", "poetune dataset themes --to themes.csv")
@click.argument("verb", type=click.Choice(["build", "themes", "export", "rebuild"]), default="build")
@click.option("--to", type=click.Path(path_type=Path), default=None, help="File or (export) folder to write.")
@click.option("--style", type=click.Choice(["mlx-lm", "trl"]), default="mlx-lm", help="Shape of exported rows.")
@click.option("--id", "identifier", default="", metavar="ID", help="With rebuild: which data set; else the latest.")
def dataset(session: Session, verb: str, to: Path | None, style: str, identifier: str) -> None:
    """Make training examples: a theme for each poem, a split that never changes.

    `themes` writes a CSV of themes to edit (then set dataset.themes to it); `export` writes chat JSONL;
    `rebuild` makes a data set again from what it was made from, to the byte.
    """
    with session.studio() as studio:
        if verb == "themes":
            path, count = studio.themes(to or session.project / "themes.csv")
            session.show(
                {"file": str(path), "poems": count},
                f"Wrote the themes of {count} poems to {path}.\n"
                f"Edit it, then put `themes: {studio.relative(path)}` under `dataset:` in poet.yaml.\n"
                "Next: poetune dataset",
            )
            return
        if verb == "export":
            files = studio.export(to or session.project / "export", style)
            session.show({"files": files}, "Wrote " + ", ".join(f"{name} ({n} rows)" for name, n in files.items()))
            return
        if verb == "rebuild":
            made = studio.rebuild(identifier, to)
            session.show(
                made,
                f"Data set {made.id} made again: {made.examples} rows, the same bytes as those trained on "
                f"(SHA-256 {made.sha256}).\nThey are at {made.file}",
            )
            return
        built = studio.dataset()
    counts = ", ".join(f"{n} {split}" for split, n in built.splits.items())
    prose = [f"Data set {built.id} of round {built.round}: {built.examples} examples ({counts})."]
    prose += [f"Note: {note}" for note in built.notes]
    if session.overrides:
        prose.append("Note: --set holds for one command; give it to finetune too, or write it into poet.yaml.")
    session.show(built, "\n".join([*prose, "Next: poetune finetune"]))
