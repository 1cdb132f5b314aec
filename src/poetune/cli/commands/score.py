"""`poetune score`: how good is it."""

import click

from poetune.cli.session import Session, command

VERBS = ("report", "losses", "copies", "compare", "checkpoints", "lengths", "decoding")


@command("score", "poetune score compare base best")
@click.argument("verb", type=click.Choice(VERBS), default="report")
@click.argument("names", nargs=-1)
@click.option("--no-poems", is_flag=True, help="compare: leave out the base that is shown five poems.")
@click.option("--no-judge", is_flag=True, help="compare: ask no judge.")
@click.option("--per-prompt", type=click.IntRange(min=1), default=1, show_default=True, help="compare: poems a prompt.")
def score(session: Session, verb: str, names: tuple[str, ...], no_poems: bool, no_judge: bool, per_prompt: int) -> None:
    """Measure what was learned: losses, copied lines, contestants side by side, and the HTML report.

    \b
    report       the HTML report, and every figure as CSV
    losses       loss, perplexity and bits per byte of base, stages and settings
    copies       lines that stand in training poems
    compare      NAMES on the same prompts and seeds: base, best, a step, a stage, a model's id, or URL#model
    checkpoints  every checkpoint on the same prompts, and which to take
    lengths      poems of 30 to 150 tokens, and where verse drifts into prose
    decoding     greedy, beams and sampling, and where verse drifts into prose
    """
    if names and verb != "compare":
        raise click.UsageError(f"score {verb} takes no names; they go with compare.")
    with session.studio() as studio:
        if verb == "losses":
            table = studio.losses()
            session.show({"rows": table.rows}, table.text)
        elif verb == "copies":
            copies = studio.copies()
            session.show({"rows": copies.rows}, copies.text)
        elif verb == "compare":
            from poetune.cli import scores

            contest = studio.compare(names, not no_poems, not no_judge, per_prompt)
            session.show(contest, scores.contest(contest))
        elif verb == "checkpoints":
            from poetune.cli import scores

            steps = studio.checkpoints()
            session.show(steps, scores.checkpoints(steps))
        elif verb == "lengths" or verb == "decoding":
            from poetune.cli import scores

            ways = studio.courses("lengths" if verb == "lengths" else "decoding")
            session.show(ways, scores.courses(ways))
        else:
            done = studio.report()
            session.show(done, f"{done.summary}\nThe report is at {done.html}\nEvery figure is in {done.csv}")
