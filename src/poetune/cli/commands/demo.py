"""`poetune demo`: everything at once on the bundled poems."""

from pathlib import Path

import click

from poetune.backends.table import CHOICES
from poetune.cli.session import Session, command


@command("demo", "poetune demo --language zh --project demo-zh")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", help="Which bundled voice to learn.")
@click.option("--engine", type=click.Choice(CHOICES), default="auto", help="What trains and writes.")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Training steps.")
@click.option("--fresh", is_flag=True, help="Throw an earlier demo in that folder away first.")
def demo(session: Session, language: str, engine: str, steps: int | None, fresh: bool) -> None:
    """Learn a bundled voice: train, write a grid of poems, rank them, report; two or three minutes on two cores."""
    from poetune.cli.screen import Screen
    from poetune.studio import demo as whole

    project = session.project if session.project != Path() else Path(f"poetune-demo-{language}")
    done = whole.run(project, language, engine, steps, fresh, Screen(), session.overrides)
    prose = [""]
    for place, poem in enumerate(done.best, start=1):
        body = "\n".join("   " + line for line in poem.text.split("\n"))
        prose.append(f"{place}. {poem.title}\n\n{body}\n")
    prose.append(f"{done.summary}\nThe report: {done.report}\n")
    prose.append(f"Next:\n  cd {done.project}\n" + "\n".join(f"  {line}" for line in done.next))
    session.show(done, "\n".join(prose))
