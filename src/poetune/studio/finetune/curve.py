"""Hears a training's events: shows them, and keeps what must outlive the process."""

import json
from collections.abc import Mapping
from pathlib import Path

from poetune.ports import TrainEvent
from poetune.records import Model, Prompt, Run
from poetune.store.atomic import append_text
from poetune.store.queries import checkpoints
from poetune.studio.finetune.planning import Planned
from poetune.studio.house import Studio

SAMPLES = "samples.jsonl"


class Curve:
    """The bar, the losses, the checkpoints and the sample poems of one run."""

    def __init__(self, studio: Studio, planned: Planned, parent: Model, label: str = "training") -> None:
        self.studio, self.run, self.parent, self.label = studio, planned.run, parent, label
        self.samples = _Samples(planned.job.folder / SAMPLES, planned.asked)
        self.at, self.opened, self.norm, self.stopped = 0, False, 0.0, ""
        self.losses = {kind: (step, loss) for step, kind, loss, _ in studio.store.losses(self.run.id)}

    def hear(self, event: TrainEvent) -> None:
        """One event: move the bar, keep losses and poems, register or forget a checkpoint."""
        studio, listener = self.studio, self.studio.listener
        if event.kind == "start":
            if event.step:
                studio.say(f"going on from step {event.step} of {event.total}.")
            listener.begin(self.label, event.total)
            self.opened = True
            self._move(event.step)
        elif event.kind == "note":
            studio.say(event.text)
        elif event.kind == "stopped":
            self.stopped = event.text
            studio.say(event.text)
        elif event.kind == "sample":
            said = self.samples.keep(event)
            if said:
                studio.say(said)
        elif event.kind in ("train", "validation"):
            self._loss(event)
        elif event.kind == "checkpoint" and event.folder is not None:
            self._move(event.step, self._note(event.step))
            studio.store.add([checkpoint(studio, self.run, self.parent, event, event.folder)])
        elif event.kind == "removed" and event.folder is not None:
            gone = studio.relative(event.folder)
            studio.store.drop_models([m.id for m in checkpoints(studio.store, self.run.id) if m.adapter == gone])

    def _loss(self, event: TrainEvent) -> None:
        value = event.loss if event.kind == "train" else event.validation_loss
        if value is not None:
            self.losses[event.kind] = event.step, value
            self.norm = event.gradient_norm if event.kind == "train" else self.norm
            rows = [(event.step, event.kind, value, event.rate)]
            self.studio.store.add_losses(self.run.id, rows, event.gradient_norm)
        self._move(event.step, self._note(event.step))

    def _move(self, step: int, note: str = "") -> None:
        if self.opened and step >= self.at:
            self.studio.listener.advance(step - self.at, note)
            self.at = step

    def _note(self, now: int) -> str:
        said = [
            f"{kind} {loss:.3f}" if step == now else f"{kind} {loss:.3f} at step {step}"
            for kind, (step, loss) in sorted(self.losses.items())
        ]
        return "  ".join([*said, f"gradient norm {self.norm:.2g}"] if self.norm else said)


class _Samples:
    """Poems written while training, a line of JSON each; said again after a kill, they are kept once."""

    def __init__(self, path: Path, asked: Mapping[str, Prompt]) -> None:
        self.path, self.asked = path, asked

    def keep(self, event: TrainEvent) -> str:
        """Append a poem; what there is to say of it, "" where it was kept before."""
        prompt = self.asked.get(event.request) or Prompt(event.request, "")
        words, text = prompt.theme or prompt.opening, prompt.opening + event.text
        row = {"step": event.step, "prompt": words, "template": prompt.template, "text": text}
        line = json.dumps(row, ensure_ascii=False) + "\n"
        if self.path.exists() and line in self.path.read_text(encoding="utf-8"):
            return ""
        append_text(self.path, line)
        return f"sample at step {event.step}, “{words}”:\n{text}\n"


def checkpoint(studio: Studio, run: Run, parent: Model, event: TrainEvent, folder: Path) -> Model:
    """The record of a checkpoint on top of the model that its run started from."""
    return Model(
        "checkpoint",
        run.engine,
        parent.base,
        studio.relative(folder),
        name=f"step {event.step}",
        run=run.id,
        parent=parent.id,
        step=event.step,
        round=run.round,
        train_loss=event.loss,
        validation_loss=event.validation_loss,
    )
