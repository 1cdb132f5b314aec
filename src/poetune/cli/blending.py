"""`finetune poets` and `finetune blend`, said in tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from poetune.cli.session import Session
from poetune.cli.tables import figure, table

if TYPE_CHECKING:
    from poetune.studio.finetune import Dialled, Poets


def show_poets(session: Session, overrides: Sequence[str], authors: Sequence[str], poems: int) -> None:
    """Train one adapter a poet and say what came of each."""
    with session.studio(*overrides) as studio:
        done = studio.poets(authors, poems)
    session.show(done, _poets(done))


def show_blend(
    session: Session, mix: str, sweep: bool, method: str, rank: int, density: float, points: int, poems: int
) -> None:
    """Make one blend, or with `sweep` a row of them from one poet to another, measured."""
    if not mix:
        raise click.UsageError(
            "say what to blend: --mix dickinson=0.6,whitman=0.4, or --mix dickinson,whitman --sweep."
        )
    with session.studio() as studio:
        from poetune.finetune import Way

        way = Way(method, rank, density)
        if sweep:
            dialled = studio.dial(mix, way, points, max(1, poems))
            figures = {"single": dialled.single, "mean": dialled.mean, "overlap": dialled.overlap, "csv": dialled.csv}
            steps = [{"weight": s.weight, "position": s.position, "model": s.model} for s in dialled.steps]
            session.show({**figures, "steps": steps}, _dialled(dialled))
            return
        done = studio.blend(mix, way)
    said = "was there already" if done.already else "made"
    session.show(
        done,
        f"Blend {done.model}, {done.name}: {said}, in {done.adapter}.\n"
        f"Next: poetune generate --stage {done.model}, or poetune ship --model {done.model}",
    )


def _poets(done: "Poets") -> str:
    head = ["poet", "validation loss", "best step", "steps", "seconds"]
    named = list(done.named.values())
    if named:
        head.append("named rightly")
    rows = []
    for number, each in enumerate(done.trained):
        row = [each.stage, figure(each.best_loss), str(each.best_step), str(each.steps), figure(each.seconds, 1)]
        rows.append([*row, f"{named[number]:.0%}"] if named else row)
    parts = [table(head, rows)]
    if named and done.accuracy is not None:
        mean = sum(named) / len(named)
        parts.append(
            f"{mean:.0%} of the adapters' poems are named rightly by a classifier over the authors, which names "
            f"{done.accuracy:.0%} of the authors' own poems rightly, each left out in turn."
        )
    if done.left_out:
        parts.append(f"Too few poems for an adapter of their own: {', '.join(done.left_out)}.")
    first = [each.stage for each in done.trained][:2]
    if len(first) == 2:
        parts.append(f"Next: poetune finetune blend --mix {first[0]}=0.5,{first[1]}=0.5")
    return "\n".join(parts)


def _dialled(done: "Dialled") -> str:
    head = ("weight", "position", "spread", done.first, done.second, "copied", "ended", "loss 1", "loss 2")
    rows = [
        (
            f"{step.weight:.2f}",
            f"{step.position:.2f}",
            f"{step.spread:.2f}",
            f"{step.first:.0%}",
            f"{step.second:.0%}",
            f"{step.copied:.1%}",
            f"{step.ended:.0%}",
            figure(step.first_loss),
            figure(step.second_loss),
        )
        for step in done.steps
    ]
    poems = len(done.steps[0].positions)
    return (
        f"{table(head, rows, 0)}\n"
        f"{poems} poems a step. Position: 0 = where {done.first}'s own unseen poems stand on average, 1 = "
        f"{done.second}'s; of pairs of their own poems {done.overlap:.0%} stand in the wrong order. The named columns "
        "are the share that the classifier gives to each; losses are nats a token on each one's held-out poems.\n"
        f"Spearman's rho with the weight: single poems {figure(done.single, 2)}, steps {figure(done.mean, 2)}.\n"
        f"The table is at {done.csv}"
    )
