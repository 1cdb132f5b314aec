"""`poetune rounds`: what was kept goes back."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from poetune.cli.session import Session, command
from poetune.cli.tables import figure, table

if TYPE_CHECKING:
    from poetune.records import Round
    from poetune.rounds.guards import Figure
    from poetune.studio.rounds import Closed


@command("rounds", "poetune rounds close --accept-guard diversity")
@click.argument("verb", type=click.Choice(["list", "close"]), default="list")
@click.option(
    "--accept-guard",
    "accepted",
    multiple=True,
    metavar="NAME",
    help="Close although this guard fails (diversity, loss, copying); it is recorded. May be given again.",
)
@click.option("--dry-run", is_flag=True, help="With close: show the guards' figures, and stop.")
def rounds(session: Session, verb: str, accepted: tuple[str, ...], dry_run: bool) -> None:
    """Close the round: the accepted poems (as edited) enter the corpus, unless a guard refuses.

    `list` shows all rounds.
    """
    if verb == "list" and (accepted or dry_run):
        raise click.UsageError("--accept-guard and --dry-run go with `poetune rounds close`.")
    with session.studio() as studio:
        if verb == "list":
            found = studio.rounds()
            session.show({"rounds": [asdict(each) for each in found]}, "\n".join(_listed(each) for each in found))
            return
        done = studio.close_round(accepted, dry=dry_run)
    session.show(done, _closed(done))


def _listed(each: "Round") -> str:
    said = f"Round {each.number}: {each.poems} poems at its start, "
    if not each.closed:
        return said + "open."
    own = each.guards.get("own_share", 0.0)
    over = f"; guards accepted all the same: {', '.join(each.overruled)}" if each.overruled else ""
    return f"{said}{len(each.accepted)} accepted, own poems {own:.0%} of the tokens learned next{over}."


def _closed(done: "Closed") -> str:
    lines = [guards(done.figures)]
    own = f"own poems are {done.own_share:.0%} of the tokens that the next round learns"
    if done.own_share < done.offered:
        own += f" ({done.offered:.0%} were offered; rows are left out, of the poet's none)"
    if done.dry:
        failed = sorted({figure.guard for figure in done.figures if figure.failed} - set(done.overruled))
        verdict = f"would be refused by {', '.join(failed)}" if failed else "would close"
        return "\n".join([*lines, f"Round {done.closed} {verdict} with {done.accepted} accepted poems; {own}."])
    if done.overruled:
        lines.append(f"Accepted although they failed: {', '.join(done.overruled)}.")
    lines.append(f"Round {done.number} opens with {done.poems} poems, {done.accepted} of them new; {own}.")
    return "\n".join([*lines, "Next: poetune finetune"])


def guards(figures: "list[Figure]") -> str:
    """The guards as a table."""
    rows = [
        (
            each.guard,
            f"{each.name} of {each.of}",
            figure(each.now),
            figure(each.before),
            each.against,
            figure(each.limit),
            "FAILS" if each.failed else "-" if each.now is None or each.limit is None else "holds",
        )
        for each in figures
    ]
    return table(("guard", "measure", "now", "before", "of", "limit", ""), rows, left=2)
