"""`poetune finetune`: examples become checkpoints."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from poetune.backends import processes
from poetune.cli.session import Session, command
from poetune.cli.tables import figure, table

if TYPE_CHECKING:
    from poetune.studio.finetune import Staged, Swept, Tuned
    from poetune.studio.preferring import Preferred

TRACKERS = ("tensorboard", "trackio", "wandb")


@command("finetune", "poetune finetune --steps 300 --set finetune.rate=2e-4", together=True)
@click.argument("verb", type=click.Choice(["train", "poets", "blend"]), default="train")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Optimizer steps.")
@click.option("--layers", type=click.IntRange(min=0), default=None, help="Adapt the last N layers; 0 = all.")
@click.option(
    "--rank", type=click.IntRange(min=1), default=None, help="LoRA rank; of `blend --method svd` the blend's."
)
@click.option("--rate", type=float, default=None, help="Peak learning rate.")
@click.option("--stage", default="", metavar="NAME", help="Train the stages up to this one; all if left out.")
@click.option(
    "--sweep", is_flag=True, help="Every setting of finetune.sweep; of `blend` the way from one poet to another."
)
@click.option(
    "--accept-guard",
    "accepted",
    multiple=True,
    metavar="NAME",
    help="With --stage preference: let it write although this guard fails. May be given again.",
)
@click.option("--track", multiple=True, type=click.Choice(TRACKERS), help="Send losses there too; may be given again.")
@click.option("--dry-run", is_flag=True, help="Say what the training will need, and stop.")
@click.option(
    "--register",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Register the NNNNNNN_adapters.safetensors of a folder instead of training.",
)
@click.option(
    "--import",
    "foreign",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="Say what a recipe of mlx-lm or of a Trainer project is in poet.yaml, and stop.",
)
@click.option("--write", is_flag=True, help="With --import: put it into poet.yaml, leaving the rest.")
@click.option("--author", multiple=True, help="`poets`: this author only; may be given again.")
@click.option("--mix", default="", metavar="A=X,B=Y", help="`blend`: adapters and the share of each.")
@click.option("--method", default="cat", show_default=True, help="`blend`: cat, linear, svd, ties, dare_linear, ...")
@click.option("--density", type=float, default=0.5, show_default=True, help="`blend`: share kept by ties and dare.")
@click.option("--points", type=click.IntRange(min=3), default=11, show_default=True, help="`blend --sweep`: steps.")
@click.option(
    "--poems", type=click.IntRange(min=0), default=None, help="Poems a step (blend --sweep) or a poet (poets)."
)
def finetune(
    session: Session,
    verb: str,
    steps: int | None,
    layers: int | None,
    rank: int | None,
    rate: float | None,
    stage: str,
    accepted: tuple[str, ...],
    sweep: bool,
    track: tuple[str, ...],
    dry_run: bool,
    register: Path | None,
    foreign: Path | None,
    write: bool,
    author: tuple[str, ...],
    mix: str,
    method: str,
    density: float,
    points: int,
    poems: int | None,
) -> None:
    """Train on the data set, stage by stage, keeping checkpoints; goes on where a killed training stopped.

    `poets` trains one adapter for each author of the corpus; `blend` makes one adapter of several by weight.
    `--stage preference` goes on to learn from your reviews (200 decisions at least), under the guards of a round.
    """
    if verb == "blend":
        from poetune.cli.blending import show_blend

        show_blend(session, mix, sweep, method, rank or 0, density, points, 40 if poems is None else poems)
        return
    given: dict[str, object] = {"steps": steps, "layers": layers, "rank": rank, "rate": rate}
    if track:
        given["track"] = f"[{', '.join(track)}]"
    if write and foreign is None:
        raise click.UsageError("--write goes with --import FILE.")
    if processes.rank() and (foreign or register or dry_run):
        return
    if foreign is not None:
        from poetune.cli.importing import show_import

        show_import(session, foreign, write)
        return
    if verb == "poets":
        from poetune.cli.blending import show_poets

        show_poets(session, [f"finetune.{k}={v}" for k, v in given.items() if v is not None], author, poems or 0)
        return
    if accepted and stage != "preference":
        raise click.UsageError("--accept-guard goes with --stage preference.")
    if sweep and stage:
        raise click.UsageError("give --sweep or --stage, not both: a sweep trains the last stage.")
    overrides = [f"finetune.{k}={v}" for k, v in given.items() if v is not None]
    if processes.rank():
        session.help_train(*overrides)
        return
    with session.studio(*overrides) as studio:
        if register is not None:
            found = studio.register(register)
            session.show(
                {"checkpoints": found},
                f"Registered {len(found)} checkpoints: steps {', '.join(str(m['step']) for m in found)}.",
            )
            return
        for name in (n for n, value in given.items() if value is not None):
            own = [each.name for each in studio.recipe.finetune.stages if name in each.model_fields_set]
            if own:
                studio.say(f"--{name} does not reach {', '.join(own)}, where poet.yaml sets its own.")
        if dry_run:
            needs = {name: asdict(found) for name, found in studio.needs().items()}
            last = list(needs.values())[-1]
            session.show({**last, "stages": needs}, "Nothing was trained (--dry-run).")
            return
        if sweep:
            with studio.together():
                swept = studio.sweep()
            session.show(swept, _swept(swept))
            return
        if stage == "preference":
            preferred = studio.prefer(accepted)
            session.show(preferred, _preferred(preferred))
            return
        with studio.together():
            done = studio.finetune(stage)
        held = len(studio.recipe.finetune.sweep)
    hint = "\nfinetune.sweep holds settings to compare: poetune finetune --sweep" if held else ""
    session.show(done, _tuned(done) + hint + ("\nNext: poetune generate" if not stage else ""))


def _tuned(done: "Tuned") -> str:
    if done.already:
        said = f"Run {done.run} was trained already ({done.checkpoints} checkpoints); nothing to do."
        return said if len(done.stages) < 2 else f"{said}\n{_stages(done.stages)}"
    if done.first_loss is not None and done.best_loss is not None:
        said = (
            f"Run {done.run}: {done.checkpoints} checkpoints; validation loss {done.first_loss:.3f} -> "
            f"{done.best_loss:.3f} nats a token (best at step {done.best_step})."
        )
    else:
        said = f"Run {done.run}: {done.checkpoints} checkpoints (no validation poems, so no validation loss)."
    return f"{said}\n{_stages(done.stages)}"


def _preferred(done: "Preferred") -> str:
    from poetune.cli.commands.rounds import guards

    over = f"\nAccepted although they failed: {', '.join(done.overruled)}." if done.overruled else ""
    run, began = done.staged, 0.693 if done.loss == "dpo" else 0.5
    loss = f"preference loss {figure(run.train_loss)} in training"
    if run.best_loss is not None:
        loss += f", {figure(run.best_loss)} on {done.held_out} rows held out (best at step {run.best_step})"
    return (
        f"Run {run.run}: {done.loss} on {done.decisions} decisions, {done.trained} rows in {run.steps} steps; {loss}; "
        f"{began} is where nothing was learned.\n{guards(done.figures)}{over}\n"
        "Its checkpoints write from now on. Next: poetune generate"
    )


def _stages(stages: "Sequence[Staged]") -> str:
    head = (
        "stage",
        "train loss",
        "validation loss",
        "perplexity",
        "best step",
        "steps",
        "weights trained",
        "gradient norm",
        "seconds",
    )
    rows = [
        (
            each.stage,
            figure(each.train_loss),
            figure(each.best_loss),
            figure(each.perplexity, 1),
            str(each.best_step),
            str(each.steps),
            f"{each.trained / each.parameters:.2%}" if each.parameters else "-",
            f"{each.gradient_norm:.2g}" if each.gradient_norm else "-",
            figure(each.seconds, 1),
        )
        for each in stages
    ]
    return table(head, rows)


def _swept(done: "Swept") -> str:
    head = ("setting", "weights trained", "train", "validation", "test", "perplexity", "best step", "s", "peak MB")
    rows = [
        (
            f"{each.setting} *" if each.setting == done.best else each.setting,
            f"{each.trained:,}",
            figure(each.train_loss),
            figure(each.validation_loss),
            figure(each.test_loss),
            figure(each.perplexity, 1),
            str(each.best_step),
            figure(each.seconds, 1),
            figure(each.peak_memory / 2**20 if each.peak_memory else None, 0),
        )
        for each in done.trials
    ]
    return (
        f"{table(head, rows)}\n* lowest validation loss. Losses are of each setting's best checkpoint, in nats a "
        "token; peak MB is the process's largest resident size while it trained.\n"
        f"The table is at {done.csv}\nTo go on with the best (beside the options you gave): {done.go_on}"
    )
