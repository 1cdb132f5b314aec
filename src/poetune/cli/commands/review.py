"""`poetune review`: a person reads, on a local page."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from poetune.cli.session import Session, command

if TYPE_CHECKING:
    from poetune.studio import Studio
    from poetune.studio.penning import Pen
    from poetune.web.faces import Faces

KINDS = ["txt", "jsonl", "csv", "chat", "kto", "dpo", "markdown"]


@command("review", "poetune review --reviewer ada")
@click.option("--reviewer", default=None, help="The reader's name; each reader decides for themselves.")
@click.option("--queue", type=click.IntRange(0), default=None, help="So many poems; 0 = all.")
@click.option("--rubric", default=None, help="Ask for scores from 1 to 5 on this rubric's criteria too.")
@click.option(
    "--compare", nargs=2, default=None, metavar="A B", help="Blind votes between two models, such as base best."
)
@click.option("--export", type=click.Choice(KINDS), default=None, help="Write the accepted poems to --to instead.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), default=None, help="File for --export.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Port on this machine; 0 = any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on another address of this machine.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def review(
    session: Session,
    reviewer: str | None,
    queue: int | None,
    rubric: str | None,
    compare: tuple[str, str] | None,
    export: str | None,
    to: Path | None,
    port: int | None,
    host: str,
    no_browser: bool,
) -> None:
    """Open the review page: A accept, X reject, E edit, T title, U undo; kept before the next poem shows."""
    import json

    given = {"reviewer": reviewer, "port": port, "queue": queue, "rubric": rubric}
    with session.studio(*(f"review.{k}={json.dumps(v)}" for k, v in given.items() if v is not None)) as studio:
        if export:
            path, poems = studio.export_reviewed(export, to)
            session.show({"file": str(path), "lines": poems}, f"Wrote {path} ({poems} lines).")
            return
        _open(session, studio, compare, host, no_browser)


def _open(session: Session, studio: "Studio", compare: tuple[str, str] | None, host: str, no_browser: bool) -> None:
    import json
    import os

    from poetune.web.server import HOST, serve, tunnel

    faces = _faces(studio, compare)

    def ready(url: str) -> None:
        if session.json:
            click.echo(json.dumps({"url": url}))
            return
        click.echo(f"The review page is at {url}")
        through = tunnel(int(url.split("/?")[0].rpartition(":")[2]), os.environ) if host == HOST else ""
        if through:
            click.echo(f"From your own machine: {through}\nthen open the address above there.")
        if host != HOST:
            click.echo("Others on the network can reach it; whoever has the link first gets in, and can read along.")
        click.echo("Ctrl-C closes it; what you decided is kept.")

    try:
        remote = "SSH_CONNECTION" in os.environ
        serve(faces, studio.recipe.review.port, not (no_browser or remote), ready, host)
        told = _told(faces, studio)
    finally:
        faces.close()
    if not session.json:
        click.echo(told)


def _faces(studio: "Studio", compare: tuple[str, str] | None) -> "Faces":
    from poetune.web.faces import Faces

    if compare:
        return Faces(ballots=studio.ballots(*compare), gallery=studio.gallery())
    return Faces(desk=studio.desk(), gallery=studio.gallery(), pen=_pen(studio))


def _pen(studio: "Studio") -> "Pen | None":
    """The writing desk, where the engine is installed and the best model's weights are there."""
    from poetune.errors import EngineError

    try:
        return studio.pen()
    except EngineError:
        return None


def _told(faces: "Faces", studio: "Studio") -> str:
    if faces.ballots is not None:
        progress = faces.ballots.progress()
        return f"{progress.decided} of {progress.total} pairs decided. Next: poetune score compare"
    if faces.desk is None:
        return ""
    progress = faces.desk.progress()
    lines = [f"{progress.accepted} accepted, {progress.rejected} rejected. Next: poetune rounds"]
    for one in studio.reviewed().steady:
        interval = one.same.interval or (0.0, 1.0)
        lines.append(
            f"{one.who or 'You'} read {one.same.whole} poems twice without being told, and decided {one.same.part} of "
            f"them alike (95 %: {interval[0]:.0%} to {interval[1]:.0%})."
        )
    return "\n".join(lines)
