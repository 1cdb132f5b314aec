"""`poetune review`: a person reads, on a local page."""

import click

from poetune.cli.session import Session, command


@command("review", "poetune review --reviewer ada")
@click.option("--reviewer", default=None, help="The reader's name.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Port on this machine; 0 = any free one.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def review(session: Session, reviewer: str | None, port: int | None, no_browser: bool) -> None:
    """Open the review page: A accept, X reject, E edit, T title, U undo; kept before the next poem shows."""
    import json

    given = {"reviewer": reviewer, "port": port}
    with session.studio(*(f"review.{k}={json.dumps(v)}" for k, v in given.items() if v is not None)) as studio:
        from poetune.web.server import serve

        desk = studio.desk()

        def ready(url: str) -> None:
            if session.json:
                click.echo(json.dumps({"url": url}))
            else:
                click.echo(f"The review page is at {url}\nCtrl-C closes it; what you decided is kept.")

        try:
            serve(desk, studio.recipe.review.port, open_browser=not no_browser, on_ready=ready)
            progress = desk.progress()
        finally:
            desk.close()
    if not session.json:
        click.echo(f"{progress.accepted} accepted, {progress.rejected} rejected. Next: poetune rounds")
