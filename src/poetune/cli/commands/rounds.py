"""`poetune rounds`: what was kept goes back."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from poetune.cli.session import Session, command
from poetune.cli.tables import figure, table

if TYPE_CHECKING:
    from poetune.records import Round
    from poetune.rounds.guards import Figure
    from poetune.studio.rounds import Brought, Closed, Looped, Style

STYLES = ("pairs", "chatml", "messages")
_TAKES: dict[str, tuple[str, ...]] = {
    "list": (),
    "close": ("--accept-guard", "--dry-run"),
    "run": ("--accept-guard", "--count"),
    "import": ("a file",),
    "export": ("a file", "--round"),
}


@command("rounds", "poetune rounds run --count 3")
@click.argument("verb", type=click.Choice(["list", "close", "run", "import", "export"]), default="list")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--accept-guard",
    "accepted",
    multiple=True,
    metavar="NAME",
    help="Close although this guard fails (diversity, loss, copying); it is recorded. May be given again.",
)
@click.option("--count", type=click.IntRange(min=1), default=None, help="With run: rounds to go through; 1 at first.")
@click.option("--dry-run", is_flag=True, help="With close: show the guards' figures, and stop.")
@click.option("--style", type=click.Choice(STYLES), default="pairs", help="With export: pairs, or training rows.")
@click.option("--round", "number", type=click.IntRange(min=1), default=None, help="With export: of this round.")
def rounds(
    session: Session,
    verb: str,
    file: Path | None,
    accepted: tuple[str, ...],
    count: int | None,
    dry_run: bool,
    style: "Style",
    number: int | None,
) -> None:
    """Close the round: the accepted poems (as edited) enter the corpus, unless a guard refuses.

    `run` goes through rounds: it trains, writes, ranks, stops for your review, and closes when called again. `import`
    takes in a FILE of nested [image, response] lists, `export` writes one, or accepted poems as training JSONL. `list`
    shows all rounds.
    """
    used = {"--accept-guard": accepted, "--count": count, "--dry-run": dry_run, "--round": number, "a file": file}
    wrong = [name for name, value in used.items() if value and name not in _TAKES[verb]]
    if wrong:
        raise click.UsageError(f"`poetune rounds {verb}` does not take {', '.join(wrong)}.")
    if verb in ("import", "export") and file is None:
        raise click.UsageError(f"`poetune rounds {verb}` needs a FILE.")
    with session.studio() as studio:
        if verb == "close":
            done = studio.close_round(accepted, dry=dry_run)
            session.show(done, _closed(done))
        elif verb == "run":
            looped = studio.run_rounds(count, accepted)
            session.show(looped, _looped(looped))
        elif verb == "import" and file is not None:
            brought = studio.bring(file)
            session.show(brought, _brought(brought))
        elif verb == "export" and file is not None:
            given = studio.give(file, style, number)
            session.show(given, f"Wrote {given.poems} poems to {given.file}")
        else:
            found = studio.rounds()
            session.show({"rounds": [asdict(each) for each in found]}, "\n".join(_listed(each) for each in found))


def _brought(done: "Brought") -> str:
    said = f"{done.new} poems came in as candidates of the open round, {done.known} were there already"
    said += f"; {done.accepted} of them were accepted there" if done.accepted else ""
    said += f"; {done.skipped} entries hold no poem" if done.skipped else ""
    return f"{said}.\nNext: poetune judge"


def _looped(done: "Looped") -> str:
    lines = [_closed(each) for each in done.closed]
    if done.waits:
        lines.append(
            f"Round {done.round} (of rounds up to {done.until}) waits for its reader: {done.poems} poems, "
            f"{done.read.accepted} accepted.\nNext: poetune review, then poetune rounds run"
        )
    else:
        lines.append(f"The loop is at its end: round {done.until} is closed and round {done.round} open.")
    return "\n".join(lines)


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
