"""Several processes of one launch: the first works in the project, the others train with it and touch nothing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from poetune.backends import processes
from poetune.backends.table import engine_name, helper
from poetune.errors import PoetuneError
from poetune.recipe import load
from poetune.studio.house import Studio


@contextmanager
def together(studio: Studio) -> Iterator[None]:
    """Trainings inside are shared with the processes that this one was launched with, where the engine can."""
    if processes.size() == 1:
        yield
        return
    engine = studio.engine()
    if helper(engine.capabilities.name) is None:
        studio.say(f"the engine {engine.capabilities.name} trains in one process; the others have ended.")
        yield
        return
    with engine.together():
        yield


def help_train(folder: Path, overrides: Iterable[str]) -> None:
    """In any process but the first: train as the first one tells. Of the project, poet.yaml alone is read here."""
    try:
        help_it = helper(engine_name(load(folder / "poet.yaml", overrides).engine))
    except (PoetuneError, OSError):  # the first process says what is wrong
        return
    if help_it is not None:
        help_it()
