"""`poetune judge`: candidates are ranked."""

from typing import TYPE_CHECKING

import click

from poetune.cli.session import Session, command

if TYPE_CHECKING:
    from poetune.studio.judge import Placed


@command("judge", "poetune judge --judge http://localhost:8000/v1 --model my-judge")
@click.option("--judge", "who", default=None, help="`offline`, `simulated`, or an OpenAI-compatible URL.")
@click.option("--model", default=None, help="The model's name at that URL.")
@click.option("--rubric", default=None, help="Rubric, e.g. classical-zh.v1.")
@click.option("--finals", type=click.IntRange(min=1), default=None, help="How many winners.")
def judge(session: Session, who: str | None, model: str | None, rubric: str | None, finals: int | None) -> None:
    """Rank the round's poems by mini-batches and a final; the key comes from the environment only."""
    import json

    given = {"judge": who, "model": model, "rubric": rubric, "finals": finals}
    with session.studio(*(f"judge.{k}={json.dumps(v)}" for k, v in given.items() if v is not None)) as studio:
        done = studio.judge()
    prose = [f"{done.poems} poems ranked by {done.judge} in {done.calls} calls ({done.invalid} unreadable)."]
    if done.description:
        prose.append(done.description)
    if done.unranked:
        prose.append(f"{done.unranked} poems stayed unranked, because no answer about them could be read.")
    for place, poem in enumerate(done.best, start=1):
        prose.append(f"\n{place}. {poem.title}   [{_origin(poem)}]\n\n{_indent(poem.text)}")
    session.show(done, "\n".join([*prose, "", "Next: poetune review"]))


def _origin(poem: "Placed") -> str:
    code = f", code {poem.code}" if poem.code else ""
    return f"{poem.model}, {poem.template}{code}"


def _indent(text: str) -> str:
    return "\n".join("   " + line for line in text.split("\n"))
