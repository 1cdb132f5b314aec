"""`poetune finetune`: examples become checkpoints."""

from pathlib import Path

import click

from poetune.cli.session import Session, command


@command("finetune", "poetune finetune --steps 300 --set finetune.rate=2e-4")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Optimizer steps.")
@click.option("--layers", type=click.IntRange(min=0), default=None, help="Adapt the last N layers; 0 = all.")
@click.option("--rank", type=click.IntRange(min=1), default=None, help="LoRA rank.")
@click.option("--rate", type=float, default=None, help="Peak learning rate.")
@click.option("--dry-run", is_flag=True, help="Say what the training will need, and stop.")
@click.option(
    "--register",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Register the NNNNNNN_adapters.safetensors of a folder instead of training.",
)
def finetune(
    session: Session,
    steps: int | None,
    layers: int | None,
    rank: int | None,
    rate: float | None,
    dry_run: bool,
    register: Path | None,
) -> None:
    """Train an adapter on the data set, keeping checkpoints; goes on where a killed training stopped."""
    given = {"steps": steps, "layers": layers, "rank": rank, "rate": rate}
    with session.studio(*(f"finetune.{k}={v}" for k, v in given.items() if v is not None)) as studio:
        if register is not None:
            found = studio.register(register)
            session.show(
                {"checkpoints": found},
                f"Registered {len(found)} checkpoints: steps {', '.join(str(m['step']) for m in found)}.",
            )
            return
        if dry_run:
            needs = studio.needs()
            session.show(needs, "Nothing was trained (--dry-run).")
            return
        done = studio.finetune()
    if done.already:
        prose = f"Run {done.run} was trained already ({done.checkpoints} checkpoints); nothing to do."
    else:
        prose = (
            f"Run {done.run}: {done.checkpoints} checkpoints; validation loss {done.first_loss:.3f} -> "
            f"{done.best_loss:.3f} nats a token (best at step {done.best_step})."
            if done.first_loss is not None and done.best_loss is not None
            else f"Run {done.run}: {done.checkpoints} checkpoints (no validation poems, so no validation loss)."
        )
    session.show(done, prose + "\nNext: poetune generate")
