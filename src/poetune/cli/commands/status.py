"""`poetune status`: where the project stands."""

from typing import TYPE_CHECKING

from poetune.cli.session import Session, command

if TYPE_CHECKING:
    from poetune.studio.status import Trained

SHOWN = 6  # the latest checkpoints of a training, beside its best


@command("status", "poetune status --json")
def status(session: Session) -> None:
    """Say what there is, and what comes next."""
    with session.studio() as studio:
        now = studio.status()
    prose = [f"{now.name}: round {now.round} ({now.language}, engine {now.engine}, base {now.base})"]
    prose += [f"  {label:12} {count}" for label, count in now.counts.items()]
    prose += [_line(each) for each in now.trained]
    session.show(now, "\n".join([*prose, f"Next: {now.next}"]))


def _line(trained: "Trained") -> str:
    """A training's checkpoints with their validation losses, its best one marked."""
    steps = []
    for number, each in enumerate(trained.checkpoints):
        best, late = each["step"] == trained.best_step, number >= len(trained.checkpoints) - SHOWN
        held = each["validation_loss"]
        if best or late:
            steps.append(f"{each['step']}" + ("" if held is None else f" ({held:.3f})") + ("*" if best else ""))
        elif not steps or steps[-1] != "...":
            steps.append("...")
    role = {"earlier": ", an earlier stage", "sweep": ", of a sweep"}.get(trained.role, "")
    mark = "  <- the best" if trained.best else ""
    return f"  {trained.stage} {trained.run}{role}: {', '.join(steps)}{mark}"
