"""`poetune rounds`: what was kept goes back."""

import click

from poetune.cli.session import Session, command


@command("rounds", "poetune rounds next")
@click.argument("verb", type=click.Choice(["next", "list"]), default="next")
def rounds(session: Session, verb: str) -> None:
    """Open the next round: the accepted poems (as edited) enter the corpus first; `list` shows all rounds."""
    with session.studio() as studio:
        if verb == "list":
            found = studio.rounds()
            prose = [f"Round {r.number}: {r.poems} poems at its start, {len(r.accepted)} accepted." for r in found]
            session.show(
                {"rounds": [{"number": r.number, "poems": r.poems, "accepted": r.accepted} for r in found]},
                "\n".join(prose),
            )
            return
        done = studio.next_round()
    prose = [
        f"Round {done.number} opens with {done.poems} poems, {done.accepted} of them accepted in round {done.closed}."
    ]
    prose += [f"Note: {note}" for note in done.notes]
    session.show(done, "\n".join([*prose, "Next: poetune dataset && poetune finetune"]))
