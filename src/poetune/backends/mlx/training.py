"""The mlx learner: an adapter, or the whole model, one optimizer step at a time."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_unflatten
from mlx_lm.utils import maybe_set_recommended_wired_limit

from poetune.backends.bases import copy_tokenizer
from poetune.backends.loop import Stepped
from poetune.backends.memory import halved
from poetune.backends.mlx import adapters, formats, merging
from poetune.backends.mlx.generating import write_samples
from poetune.backends.mlx.memory import give_back, is_out_of_memory
from poetune.backends.mlx.opening import Opened
from poetune.backends.mlx.optimizers import UNDECAYED, Optimizer, clipped
from poetune.backends.ordering import held_rows, step_rows
from poetune.backends.rows import Row, Rows, said
from poetune.ports import TrainJob

_TENSORS, _STATE = "optimizer.safetensors", "state.json"
_T = TypeVar("_T")


class MlxLearner:
    """Weights, optimizer and rows of one training. Weights that train are kept in fp32, whatever the base is.

    `most` is how many rows go through the model together: the batch, halved whenever memory did not suffice.
    """

    def __init__(self, opened: Opened, job: TrainJob, train: Rows, held: Rows) -> None:
        base = opened.base
        self.base, self.forward, self.settings, self.seed = base, opened.forward, job.settings, job.seed
        self.rows, self.held, self.samples = train.rows, held_rows(held.rows, job), job.samples
        self.notes = opened.notes + said(train, held, job.settings, UNDECAYED)
        self.most = job.settings.batch
        self.config: dict[str, Any] | None = None
        if job.settings.method == "full":
            base.model.unfreeze()
        elif job.weights.adapter:
            saved = formats.read(Path(job.weights.adapter))
            adapters.put_on_saved(base.model, saved)
            self.config = {**saved.config, "quantize": base.quantize}
            lora = saved.config["lora_parameters"]
            self.notes += (f"goes on from an adapter and keeps its shape: rank {lora['rank']}, scale {lora['scale']}",)
        else:
            with adapters.seeded(job.seed):
                self.config = adapters.fresh(base.model, job.settings, base.quantize)
        self.weights = {n: w.astype(mx.float32) for n, w in adapters.trainable(base.model).items()}
        mx.eval(self.weights)
        self._use(self.weights)
        self.optimizer = Optimizer(job.settings, self.weights)
        maybe_set_recommended_wired_limit()
        self._noisy = [module for module in base.model.modules() if isinstance(module, nn.Dropout)]
        self._graded = mx.value_and_grad(self._loss)
        self._to_say: list[str] = []

    def step(self, number: int, rate: float) -> Stepped:
        """One optimizer step; gradients are of the mean over all supervised tokens of the step."""
        rows = step_rows(self.rows, number, self.settings, self.seed)
        supervised = sum(len(row.ids) - row.first for row in rows)
        for module in self._noisy:
            module.train()
        try:
            nats, gradients = self._within_memory(rows, lambda: self._gradients(rows, supervised, number))
        finally:
            for module in self._noisy:
                module.eval()
        norm = math.inf
        if math.isfinite(nats):
            cut, norm = clipped(gradients, self.settings.clip)
            if math.isfinite(norm):
                self.weights = self.optimizer.step(self.weights, cut, rate)
        self._use(self.weights)
        mx.clear_cache()  # steps have other shapes each, and what they leave would pile up
        told, self._to_say = tuple(self._to_say), []
        return Stepped(nats, supervised, sum(len(row.ids) for row in rows), norm, told)

    def _loss(self, weights: dict[str, Any], rows: Sequence[Row], supervised: int) -> Any:
        self._use(weights)
        return self.forward.nats(rows).sum() / supervised

    def _gradients(self, rows: Sequence[Row], supervised: int, number: int) -> tuple[float, dict[str, Any]]:
        """Nats of the rows and the sum of their gradients; the same numbers are drawn at each try."""
        nats, total = 0.0, None
        with adapters.seeded(self.seed * 1_000_003 + number):
            for some in self.forward.calls(rows, self.most):
                loss, gradients = self._graded(self.weights, some, supervised)
                if total is not None:
                    gradients = {name: total[name] + each for name, each in gradients.items()}
                mx.eval(loss, gradients)
                nats, total = nats + loss.item() * supervised, gradients
        return nats, total or {}

    def _use(self, weights: dict[str, Any]) -> None:
        self.base.model.update(tree_unflatten(list(weights.items())))

    def _within_memory(self, rows: Sequence[Row], work: Callable[[], _T]) -> _T:
        """Do the work on fewer rows at a time until it fits; all rows are read and the sums are the same."""
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            self._use(self.weights)
            give_back()
            self.most, told = halved(min(self.most, len(rows)), len(rows[-1].ids))
            self._to_say.append(told)

    def validate(self) -> float | None:
        """Nats per supervised token over the held-out rows."""
        return self._within_memory(self.held, self._held_loss) if self.held else None

    def _held_loss(self) -> float:
        nats, tokens = 0.0, 0
        for some in self.forward.calls(self.held, self.most):
            each = self.forward.nats(some)
            nats += each.sum().item()
            tokens += len(each)
        return nats / tokens

    def sample(self) -> list[tuple[str, str]]:
        """The job's sample poems, by the weights of the moment."""
        return write_samples(self.base, self.samples, self.most)

    def save(self, folder: Path) -> None:
        """The adapter as mlx-lm keeps it, or the whole model; the base's tokenizer files beside it."""
        if not all(bool(mx.isfinite(weight).all()) for weight in self.weights.values()):
            raise FloatingPointError("a trained weight is not a number")
        if self.config is not None:
            adapters.save(self.weights, self.config, folder)
        else:
            merging.save_model(self.base, folder)
        copy_tokenizer(self.base.folder, folder)

    def save_resume(self, folder: Path) -> None:
        """The optimizer's state by the weight's name, and what memory allowed."""
        mx.save_safetensors(str(folder / _TENSORS), self.optimizer.state())
        (folder / _STATE).write_text(json.dumps({"most": self.most}), "utf-8")

    def resume(self, folder: Path, resume: Path) -> None:
        """Weights and state, bit for bit."""
        whole = self.config is None
        kept = merging.read_weights(self.base, folder) if whole else formats.read(folder).tensors
        self.weights = {name: kept[name] for name in self.weights}  # in this order the gradients' norm is summed
        mx.eval(self.weights)
        self._use(self.weights)
        self.optimizer.restore(formats.tensors(resume / _TENSORS))
        self.most = json.loads((resume / _STATE).read_text("utf-8"))["most"]

    def close(self) -> None:
        """Leave the base as it was, where an adapter was trained."""
        if self.config is not None:
            adapters.take_off(self.base.model)
            self.base.model.freeze()
