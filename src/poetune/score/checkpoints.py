"""Which checkpoint to take, and why: not copying first, then the held-out loss, then the voice."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.score.contents import Step
from poetune.verse.shares import wilson

NEAR = 0.01  # validation losses within one per cent of the lowest are as good as it
SPARE = 0.01  # share of copied lines above the poet's own that is let pass


@dataclass(frozen=True, slots=True)
class Advice:
    """The step to take, and sentences that say why."""

    step: int
    why: tuple[str, ...]


def advice(steps: Sequence[Step], own_copied: float | None = None, start: float | None = None) -> Advice | None:
    """The recommended checkpoint; None of none.

    `own_copied` is the share of lines that the poet's held-out poems copy, `start` the held-out loss before step 1.

    A checkpoint that surely copies more than the poet repeats himself (and SPARE) is passed over while another is left;
    of the rest those within NEAR of the lowest validation loss stay, and of these the one nearest to the poet's voice.
    """
    if not steps:
        return None
    why: list[str] = []
    most = (own_copied or 0.0) + SPARE
    clean = [each for each in steps if _surely(each) <= most]
    if not clean:
        least = min(steps, key=lambda each: (each.figures.copied, each.step))
        return Advice(
            least.step,
            (
                f"Every checkpoint copies more than {most:.1%} of its lines; step {least.step} copies least "
                f"({least.figures.copied:.1%}). Train for fewer steps, or on more poems.",
            ),
        )
    if len(clean) < len(steps):
        passed = ", ".join(str(each.step) for each in steps if each not in clean)
        why.append(f"Passed over for copying more than {most:.1%} of their lines: step {passed}.")
    held = [each for each in clean if each.validation_loss is not None]
    if held:
        lowest = min(held, key=lambda each: (each.validation_loss or 0.0, each.step))
        edge = (lowest.validation_loss or 0.0) * (1 + NEAR)
        near = [each for each in held if (each.validation_loss or 0.0) <= edge]
        why.append(
            f"Lowest loss on held-out poems: step {lowest.step} ({lowest.validation_loss:.3f} nats a token)"
            + (
                f"; within {NEAR:.0%} of it: {', '.join(str(e.step) for e in near if e is not lowest)}."
                if near[1:]
                else "."
            )
        )
        if start is not None and (lowest.validation_loss or 0.0) >= start:
            why.append(
                f"No checkpoint foretells held-out poems better than what the training started from ({start:.3f})."
            )
    else:
        near = list(clean)
        why.append("There is no held-out loss to go by, as no poem was held out.")
    voiced = [each for each in near if each.figures.delta is not None]
    chosen = min(voiced, key=lambda each: (each.figures.delta or 0.0, each.step)) if voiced else _fallback(near)
    if voiced and len(near) > 1:
        why.append(
            f"Of these, step {chosen.step} stands nearest to the poet's voice (Burrows's Delta "
            f"{chosen.figures.delta:+.3f} above the poet's own)."
        )
    last = max(steps, key=lambda each: each.step)
    if chosen is not last and chosen.validation_loss is not None and last.validation_loss is not None:
        worse = last.validation_loss - chosen.validation_loss
        if worse > 0:
            why.append(
                f"Training on to step {last.step} made the held-out loss {worse:.3f} worse: it began to overfit."
            )
    return Advice(chosen.step, tuple(why))


def _surely(each: Step) -> float:
    """The share of copied lines that this step has at least: the lower end of its interval."""
    interval = wilson(each.figures.copied * each.figures.countable, each.figures.countable)
    return interval[0] if interval else 0.0


def _fallback(near: Sequence[Step]) -> Step:
    """Without a voice: the lowest held-out loss, else the lowest training loss, else the latest step."""
    return min(
        near,
        key=lambda e: (
            float("inf") if e.validation_loss is None else e.validation_loss,
            float("inf") if e.train_loss is None else e.train_loss,
            -e.step,
        ),
    )
