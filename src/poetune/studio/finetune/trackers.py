"""Other programs that show curves: TensorBoard, Trackio and Weights & Biases, each through its own package.

They hear what the store keeps anyway, under the names that transformers' Trainer gives. One that fails is left out, and
the training goes on.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from poetune.errors import RecipeError
from poetune.ports import TrainEvent
from poetune.studio.finetune.planning import Planned
from poetune.studio.house import Studio


class Tracker(Protocol):
    """Takes scalars by name at a step."""

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Write them."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Tracked:
    """The trackers of one run."""

    def __init__(self, trackers: Mapping[str, Tracker], say: Callable[[str], None]) -> None:
        self.trackers, self.say = dict(trackers), say

    def hear(self, event: TrainEvent) -> None:
        """Pass on what an event measured."""
        scalars = scalars_of(event)
        if scalars:
            self._each(lambda tracker: tracker.log(scalars, event.step))

    def close(self) -> None:
        """Close them all."""
        self._each(lambda tracker: tracker.close())

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self.trackers.items()):
            try:
                with redirect_stdout(sys.stderr):  # stdout is for results, and some of these greet there
                    act(tracker)
            except Exception as error:  # a tracker raises what it likes, and is not worth a training
                del self.trackers[name]
                self.say(f"{name} hears nothing more ({_reason(error)}).")


def scalars_of(event: TrainEvent) -> dict[str, float]:
    """The scalars in an event, in nats per supervised token where they are losses."""
    if event.kind == "train" and event.loss is not None:
        found = {"train/loss": event.loss, "train/learning_rate": event.rate}
        more = {"train/grad_norm": event.gradient_norm, "train/tokens_per_second": event.tokens_per_second}
        return found | {name: value for name, value in more.items() if value}
    if event.kind == "validation" and event.validation_loss is not None:
        return {"eval/loss": event.validation_loss}
    return {}


def check_trackers(names: Sequence[str]) -> None:
    """Raises RecipeError for a tracker whose package is not installed."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise RecipeError(
            f"finetune.track: {', '.join(missing)} is not installed; run: pip install {' '.join(missing)}, "
            "or leave it out (the losses are kept in the project anyway)."
        )


def open_trackers(studio: Studio, planned: Planned) -> Tracked:
    """The recipe's trackers for a run, named by its stage and id. One that cannot be opened is said and left out."""
    found: dict[str, Tracker] = {}
    name = f"{planned.run.stage}-{planned.run.id}"
    for each in dict.fromkeys(studio.recipe.finetune.track):
        try:
            with redirect_stdout(sys.stderr):
                found[each] = _OPEN[each](
                    studio.folder / each, studio.recipe.name, name, planned.run.recipe["finetune"]
                )
        except Exception as error:  # as above
            studio.say(f"{each} cannot be opened, so it hears nothing ({_reason(error)}).")
        else:
            studio.say(f"{each} hears this training as {name}.")
    return Tracked(found, studio.say)


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class _TensorBoard:
    """Event files under PROJECT/tensorboard/STAGE-RUN, by the tensorboard package itself, which needs no torch."""

    def __init__(self, folder: Path, project: str, name: str, settings: Mapping[str, Any]) -> None:  # noqa: ARG002
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._event, self._summary = Event, Summary
        self._writer = EventFileWriter(str(folder / name))

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        import time

        values = [self._summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=self._summary(value=values)))

    def close(self) -> None:
        self._writer.close()


class _Wandb:
    """A run of the project; the same run is gone on with after a kill."""

    def __init__(self, folder: Path, project: str, name: str, settings: Mapping[str, Any]) -> None:
        import wandb

        where = str(folder.parent)  # it makes a folder `wandb` there by itself
        self._run = wandb.init(project=project, name=name, id=name, resume="allow", config=dict(settings), dir=where)

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        self._run.log(dict(scalars), step=step)

    def close(self) -> None:
        self._run.finish()


class _Trackio:
    """A run of the project, in Trackio's own local database."""

    def __init__(self, folder: Path, project: str, name: str, settings: Mapping[str, Any]) -> None:  # noqa: ARG002
        import trackio

        self._trackio = trackio
        trackio.init(project=project, name=name, config=dict(settings), resume="allow")

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        self._trackio.log(dict(scalars), step=step)

    def close(self) -> None:
        self._trackio.finish()


_OPEN: Mapping[str, Callable[[Path, str, str, Mapping[str, Any]], Tracker]] = {
    "tensorboard": _TensorBoard,
    "trackio": _Trackio,
    "wandb": _Wandb,
}
