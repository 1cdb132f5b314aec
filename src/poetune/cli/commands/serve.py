"""`poetune serve`: the poet as an OpenAI-compatible endpoint."""

import os

import click

from poetune.cli.session import Session, command


@command("serve", "poetune serve --port 8766")
@click.option("--port", type=click.IntRange(0, 65535), default=8766, show_default=True, help="0 = any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address needs a key.")
@click.option(
    "--key-variable",
    default="POETUNE_KEY",
    show_default=True,
    help="Environment variable with the key that clients must send, where it is set.",
)
@click.option("--waiting", type=click.IntRange(min=1), default=64, show_default=True, help="Poems that may wait.")
@click.option("--max-tokens", type=click.IntRange(min=1), default=2048, show_default=True, help="Longest poem.")
def serve(session: Session, port: int, host: str, key_variable: str, waiting: int, max_tokens: int) -> None:
    """Answer any OpenAI client with the project's models: chat and completions, streamed or whole."""
    import json

    with session.studio() as studio:
        from poetune.studio.serving import Queue
        from poetune.web.openai.app import Poet
        from poetune.web.openai.server import serve as listen

        served = studio.served()
        settings = studio.recipe.generate
        poet = Poet(served, Queue(studio.generator(), settings.batch, waiting), settings.sampling(), max_tokens)

        def ready(url: str) -> None:
            if session.json:
                click.echo(json.dumps({"url": url, "models": list(served.weights)}))
                return
            click.echo(f"The poet answers at {url} as: {', '.join(served.weights)}")
            if served.missing:
                click.echo(f"Not served, as their weights are gone: {', '.join(served.missing)}")
            click.echo("Ctrl-C stops it, when what is being written is done.")

        listen(poet, port, ready, host, os.environ.get(key_variable, "").strip())
