"""`poetune status`: where the project stands."""

from poetune.cli.session import Session, command


@command("status", "poetune status --json")
def status(session: Session) -> None:
    """Say what there is, and what comes next."""
    with session.studio() as studio:
        now = studio.status()
    prose = [f"{now.name}: round {now.round} ({now.language}, engine {now.engine}, base {now.base})"]
    prose += [f"  {label:12} {count}" for label, count in now.counts.items()]
    session.show(now, "\n".join([*prose, f"Next: {now.next}"]))
