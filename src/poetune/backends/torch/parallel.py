"""One training by several processes: rank 0 leads the loop, the others do as it tells, step by step.

Data-parallel: every process holds the same weights and reads its share of each step's rows. The loss is divided by the
whole step's supervised tokens beforehand, so the sum of all gradients is what one process would have computed.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from poetune.backends.loop import Stepped
from poetune.backends.torch.crew import Agreed
from poetune.backends.torch.launched import Launched, Lost
from poetune.backends.torch.training import TorchLearner
from poetune.errors import PoetuneError
from poetune.ports import TrainJob


class Led:
    """Rank 0's learner: whatever needs the others is told to them, and is done when all have done it."""

    def __init__(self, crew: Launched, learner: TorchLearner, job: TrainJob) -> None:
        self.crew, self.learner = crew, learner
        self.notes = (
            f"{crew.size} processes train together: each step's rows are shared among them",
            *learner.notes,
        )
        with self._order("open", job):
            pass
        with self._order("level"):
            learner.level()

    def step(self, number: int, rate: float) -> Stepped:
        """One optimizer step of all."""
        with self._order("step", number, rate):
            return self.learner.step(number, rate)

    def validate(self) -> float | None:
        """The loss over all processes' held-out rows."""
        with self._order("validate"):
            return self.learner.validate()

    def resume(self, folder: Path, resume: Path) -> None:
        """Every process reads the checkpoint."""
        with self._order("resume", folder, resume):
            self.learner.resume(folder, resume)

    def sample(self) -> list[tuple[str, str]]:
        """By rank 0 alone."""
        return self.learner.sample()

    def save(self, folder: Path) -> None:
        """By rank 0 alone."""
        self.learner.save(folder)

    def save_resume(self, folder: Path) -> None:
        """By rank 0 alone."""
        self.learner.save_resume(folder)

    def release(self) -> None:
        """The others close their learners, where they can still be told."""
        if not self.crew.busy:
            with self._order("close"):
                pass

    @contextmanager
    def _order(self, *order: Any) -> Iterator[None]:
        """An error that all know of leaves them ready for the next order; after any other there is none."""
        self.crew.tell(*order)
        self.crew.busy = True
        try:
            yield
            self.crew.agree(None)
        except Agreed:
            self.crew.busy = False
            raise
        self.crew.busy = False


@contextmanager
def leading() -> Iterator[Launched]:
    """Join the launch as rank 0; at the end the others are sent home. After an error they see this process end."""
    crew = Launched()
    with crew.heeding():
        try:
            yield crew
        finally:
            if not crew.busy:
                crew.tell("leave")
                crew.close()


def serve() -> None:
    """Any other process: do as rank 0 tells until it sends all home, or is gone. Writes nothing."""
    from poetune.backends.torch.engine import TorchEngine  # which knows this module

    for each in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and launchers reach all processes; rank 0 decides
        signal.signal(each, signal.SIG_IGN)
    try:
        crew = Launched()
    except PoetuneError:  # rank 0 has the same to say
        return
    engine = TorchEngine(device=str(crew.device))
    engine.crew = crew
    try:
        _follow(crew, engine)
    except Lost:
        crew.outlast_first()


def _follow(crew: Launched, engine: Any) -> None:
    learner: TorchLearner | None = None
    while True:
        kind, *given = crew.hear()
        if kind == "leave":
            crew.close()
            return
        try:
            if kind == "open":
                learner = engine.opened(given[0])
            elif kind == "close" and learner is not None:
                engine.closed(learner)
                learner = None
            elif learner is not None:
                getattr(learner, kind)(*given)
            crew.agree(None)
        except Agreed:
            continue
        except Exception as error:
            if crew.busy:  # not in step with the others any more: that this process ends tells them
                raise
            crew.fail(str(error) if isinstance(error, PoetuneError) else f"{type(error).__name__}: {error}")
