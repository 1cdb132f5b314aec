"""`poetune score`: how good is it."""

import click

from poetune.cli.session import Session, command


@command("score", "poetune score report")
@click.argument("verb", type=click.Choice(["report", "losses", "copies"]), default="report")
def score(session: Session, verb: str) -> None:
    """Measure what was learned: losses, copied lines, before/after poems with the same seeds, the HTML report."""
    with session.studio() as studio:
        if verb == "losses":
            table = studio.losses()
            session.show({"rows": table.rows}, table.text)
            return
        if verb == "copies":
            copies = studio.copies()
            session.show({"rows": copies.rows}, copies.text)
            return
        done = studio.report()
    session.show(done, f"{done.summary}\nThe report is at {done.html}\nEvery figure is in {done.csv}")
