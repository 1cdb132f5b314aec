"""What validation losses tell while a training goes on: the best so far, when to stop, when overfitting starts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

_RISES = 2  # validations in a row that rise before it is called overfitting: one alone is noise


@dataclass(slots=True)
class Watch:
    """Losses in nats per supervised token. All figures are floats, so that a checkpoint's note can keep them.

    `nats` and `supervised` are sums over the steps since the last validation; `train` is the mean training loss before
    validation began to rise; a step of -1 stands for none yet.
    """

    best: float = 0.0
    best_step: float = -1
    waited: float = 0
    last: float = 0.0
    rises: float = 0
    train: float = -1
    told: float = 0
    nats: float = 0.0
    supervised: float = 0

    @classmethod
    def of(cls, kept: Mapping[str, float]) -> Self:
        """The watch that a note kept."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in kept.items() if name in known})

    def kept(self) -> dict[str, float]:
        """What a note keeps."""
        return asdict(self)

    def stepped(self, nats: float, supervised: int) -> None:
        """One optimizer step's training loss."""
        self.nats += nats
        self.supervised += supervised

    def validated(self, step: int, loss: float) -> str:
        """A validation loss; the sentence to say where overfitting starts here, else ""."""
        train = self.nats / self.supervised if self.supervised else -1.0
        self.nats, self.supervised = 0.0, 0
        rose = self.best_step >= 0 and loss > self.last
        self.rises, self.last = (self.rises + 1 if rose else 0), loss
        if self.best_step < 0 or loss < self.best:
            self.best, self.best_step, self.waited = loss, step, 0
        else:
            self.waited += 1
        if not rose or self.train < 0:
            self.train = train
        if self.told or self.rises < _RISES or not 0 <= train < self.train:
            return ""
        self.told = 1
        return (
            f"overfitting: at step {step} validation has risen to {loss:.3f} while training fell to {train:.3f}, a gap "
            f"of {loss - train:.3f} nats a token; the best is step {self.best_step:.0f}. Set finetune.patience to stop "
            "there, or try more poems, more dropout, a smaller rank or a lower rate"
        )

    def over(self, patience: int, step: int, total: int) -> str:
        """Why the training stops here, or "" where it goes on; `patience` 0 never stops."""
        if not patience or self.waited < patience:
            return ""
        where = f"at step {self.best_step:.0f}" if self.best_step else "the base's own, before training"
        return (
            f"stopped early at step {step} of {total}: {self.waited:.0f} validations without a new best; the best is "
            f"{self.best:.4f} nats a token, {where}"
        )
