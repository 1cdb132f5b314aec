"""Training events to the rows of a loss table."""

from dataclasses import dataclass, replace

from poetune.ports import TrainEvent


@dataclass(frozen=True, slots=True)
class LossRow:
    """What was measured at a step: losses in nats per supervised token, learning rate, tokens read per second."""

    step: int
    train_loss: float | None = None
    validation_loss: float | None = None
    rate: float = 0.0
    tokens_per_second: float = 0.0
    checkpoint: bool = False


class Curve:
    """Collects events; a step that is run again after a break replaces its row."""

    def __init__(self) -> None:
        self._rows: dict[int, LossRow] = {}

    def add(self, event: TrainEvent) -> LossRow | None:
        """The row that the event changed, or None where it says nothing about losses."""
        row = self._rows.get(event.step, LossRow(event.step))
        if event.kind == "train":
            row = replace(row, train_loss=event.loss, rate=event.rate, tokens_per_second=event.tokens_per_second)
        elif event.kind == "validation":
            row = replace(row, validation_loss=event.validation_loss)
        elif event.kind == "checkpoint":
            row = replace(row, checkpoint=True)
        else:
            return None
        self._rows[event.step] = row
        return row

    def rows(self) -> list[LossRow]:
        """All rows, by step."""
        return [self._rows[step] for step in sorted(self._rows)]

    def best(self) -> LossRow | None:
        """The checkpoint with the lowest validation loss, the earliest of equals; without validation, training loss.

        Only steps at which the loss was measured count.
        """
        rows = [row for row in self.rows() if row.checkpoint]
        held = [(row.validation_loss, row.step, row) for row in rows if row.validation_loss is not None]
        seen = [(row.train_loss, row.step, row) for row in rows if row.train_loss is not None]
        return min(held or seen, key=lambda each: each[:2])[2] if held or seen else None
