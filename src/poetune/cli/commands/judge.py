"""`poetune judge`: candidates are ranked."""

from typing import TYPE_CHECKING

import click

from poetune.cli.session import Session, command

if TYPE_CHECKING:
    from poetune.judge.forecast import Range
    from poetune.studio.judge import Forecast, Judged, Placed


@command("judge", "poetune judge --judge http://localhost:8000/v1 --model my-judge --dry-run")
@click.option("--judge", "who", default=None, help="`offline`, `simulated`, `project`, or an OpenAI-compatible URL.")
@click.option("--model", default=None, help="The model's name at that URL, or which of the project's models.")
@click.option("--rubric", default=None, help="Rubric, e.g. classical-zh.v1.")
@click.option("--finals", type=click.IntRange(min=1), default=None, help="How many winners.")
@click.option("--style", type=click.Choice(["funnel", "per-title"]), default=None, help="How the contest is held.")
@click.option("--looks", type=click.FloatRange(min=1), default=None, help="How often a poem is shown on average.")
@click.option("--pairs", type=click.IntRange(min=0), default=None, help="Compare so many of the best in pairs.")
@click.option(
    "--learn-from-reviews", is_flag=True, default=None, help="Show the judge poems that you accepted and rejected."
)
@click.option("--most-calls", type=click.IntRange(min=0), default=None, help="Hard cap on calls.")
@click.option("--most-tokens", type=click.IntRange(min=0), default=None, help="Hard cap on tokens.")
@click.option("--most-money", type=click.FloatRange(min=0), default=None, help="Hard cap on money; needs judge.prices.")
@click.option("--dry-run", is_flag=True, help="Print calls and a price range; send nothing.")
def judge(session: Session, who: str | None, dry_run: bool, **given: object) -> None:
    """Rank the round's poems by forced choice in small blocks; the key comes from the environment only."""
    import json

    settings = {"judge": who, **given}
    with session.studio(*(f"judge.{k}={json.dumps(v)}" for k, v in settings.items() if v is not None)) as studio:
        if dry_run:
            coming = studio.judge_forecast()
            session.show(coming, "\n".join(_forecast(coming)))
        else:
            done = studio.judge()
            session.show(done, "\n".join(_told(done)))


def _told(done: "Judged") -> list[str]:
    prose = [f"{done.poems} poems ranked by {done.judge} in {done.calls} calls ({done.invalid} unreadable)."]
    if done.partial:
        prose.append(f"This ranking is partial: {done.partial}.")
    if done.description:
        prose.append(done.description)
    if done.unranked:
        prose.append(f"{done.unranked} poems stayed unranked, because no answer about them could be read.")
    if done.spent.money or done.spent.tokens:
        money = f", {done.spent.money:.4g} in your money" if done.spent.money else ""
        prose.append(f"It took {done.spent.tokens} tokens{money}.")
    prose += ["", *done.said]
    for place, poem in enumerate(done.best, start=1):
        prose.append(f"\n{place}. {poem.title}   [{_origin(poem)}]\n\n{_indent(poem.text)}")
    return [*prose, "", "Next: poetune review"]


def _forecast(coming: "Forecast") -> list[str]:
    prose = [f"{coming.poems} poems would take {coming.calls} calls to {coming.judge}, and 5 % more if answers fail."]
    if coming.tokens is not None:
        source = "as its earlier answers were" if coming.measured else "at a guess"
        prose.append(f"About {_range(coming.tokens)} tokens read and written, {source}.")
        if coming.money is not None:
            prose.append(f"That is {_range(coming.money)} in your money.")
        else:
            prose.append("There is no price for it in judge.prices, so money is not told.")
    if coming.cap:
        prose.append(f"Judging would stop before it passes {coming.cap}.")
    return [*prose, "Nothing was sent."]


def _range(found: "Range") -> str:
    return f"{found.low:,.4g} to {found.high:,.4g}"


def _origin(poem: "Placed") -> str:
    code = f", code {poem.code}" if poem.code else ""
    sure = ""
    if poem.strength is not None:
        sure = f", strength {poem.strength:+.2f} ({poem.low:+.2f} to {poem.high:+.2f}), a winner at {poem.chance:.0%}"
    return f"{poem.model}, {poem.template}{code}{sure}"


def _indent(text: str) -> str:
    return "\n".join("   " + line for line in text.split("\n"))
