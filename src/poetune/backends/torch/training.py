"""The torch learner: an adapter, or the whole model, one optimizer step at a time."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from poetune.backends.bases import copy_tokenizer
from poetune.backends.loop import Stepped
from poetune.backends.memory import halved
from poetune.backends.ordering import held_rows, step_rows
from poetune.backends.rows import Row, Rows, said
from poetune.backends.torch import adapters, merging
from poetune.backends.torch.allocator import keep_pages
from poetune.backends.torch.crew import Agreed, Alone, Crew, share
from poetune.backends.torch.dropout import quicken
from poetune.backends.torch.memory import give_back, is_out_of_memory
from poetune.backends.torch.opening import Opened
from poetune.backends.torch.optimizers import UNDECAYED, open_optimizer, restore, state_of
from poetune.backends.torch.precision import precision_of, scaler_of
from poetune.backends.torch.restoring import Before
from poetune.backends.torch.sampling import write_samples
from poetune.errors import EngineError
from poetune.ports import TrainJob

_TENSORS, _STATE = "optimizer.safetensors", "state.json"
_LEAST_SCALE = 2.0**-10  # a loss scale below this never found a finite gradient
_T = TypeVar("_T")


class TorchLearner:
    """Weights, optimizer and rows of one training. The base's own dropout stays off; LoRA's is on during a step.

    `most` is how many rows go through the model together: the batch, halved whenever memory did not suffice.
    """

    def __init__(
        self, opened: Opened, job: TrainJob, train: Rows, held: Rows, base_name: str, crew: Crew | None = None
    ) -> None:
        base, self.opened = opened.base, opened
        self.crew: Crew = crew or Alone()
        self.base, self.forward, self.settings, self.seed = base, opened.forward, job.settings, job.seed
        self.rows, self.held, self.samples = train.rows, held_rows(held.rows, job), job.samples
        self.notes = opened.notes + said(train, held, job.settings, UNDECAYED)
        self.precision = precision_of(job.settings, base.device)
        self.scaler = scaler_of(self.precision)
        self.most, self.skipped = job.settings.batch, 0
        self.worn: Any = None
        parent = Path(job.weights.adapter) if job.weights.adapter else None
        bias = "none" if job.settings.method == "full" else job.settings.bias
        self._biases = Before(adapters.biases(base.model, bias))
        if job.settings.method == "full":
            base.model.requires_grad_(True)
        elif parent is not None:
            self.worn = adapters.attach_saved(base.model, parent, trains=True)
            config = self.worn.peft_config["default"]
            self.notes += (f"goes on from an adapter and keeps its shape: rank {config.r}, alpha {config.lora_alpha}",)
        else:
            with _seeded(base.device, job.seed):
                config = adapters.lora_config(base.model, job.settings, base_name)
                self.worn = adapters.attach(base.model, config)
        self.named = [(n, p) for n, p in base.model.named_parameters() if p.requires_grad]
        self.parameters = [p for _, p in self.named]
        for parameter in self.parameters:
            parameter.data = parameter.data.float()
        self.optimizer = open_optimizer(job.settings, self.named, base.device)
        self._noisy = quicken(base.model)
        if base.device.type == "cpu":
            keep_pages()
        self._to_say: list[str] = []

    def step(self, number: int, rate: float) -> Stepped:
        """One optimizer step; gradients are of the mean over all supervised tokens of the step."""
        rows = step_rows(self.rows, number, self.settings, self.seed)
        mine = share(rows, self.crew)
        supervised = sum(len(row.ids) - row.first for row in rows)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for module in self._noisy:
            module.train()
        try:
            nats = sum(self._within_memory(mine, lambda: self._gradients(mine, supervised, number)))
        finally:
            for module in self._noisy:
                module.eval()
        self.crew.add_up(self.parameters)
        norm = self._clipped() if math.isfinite(nats) else math.inf
        if self.scaler.is_enabled() and math.isfinite(nats):
            norm = self._scaled_step(norm, number)
        elif math.isfinite(norm):
            self._optimizer_step()
        self.optimizer.zero_grad(set_to_none=True)
        told, self._to_say = tuple(self._to_say), []
        return Stepped(nats, supervised, sum(len(row.ids) for row in rows), norm, told)

    def _gradients(self, rows: Sequence[Row], supervised: int, number: int) -> float:
        """Nats of the rows, whose gradients are added to the parameters'; the same numbers are drawn at each try."""
        nats = torch.zeros((), dtype=torch.float64)
        with _seeded(self.base.device, self.seed * 1_000_003 + number + (self.crew.rank << 40)):
            for some in self.forward.calls(rows, self.most):
                with self.precision.autocast():
                    loss = self.forward.nats(some)[0].sum()
                self.scaler.scale(loss / supervised).backward()
                nats += loss.detach().cpu().double()
        return float(nats)

    def _within_memory(self, rows: Sequence[Row], work: Callable[[], _T]) -> list[_T]:
        """Do the work on fewer rows at a time until it fits; all rows are read and the sums are the same.

        What it gives in each process; what is too much for one is too much for all.
        """
        while True:
            done: Any = None
            tried, longest = 0, 0
            try:
                done = work()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                tried, longest = min(self.most, len(rows)), len(rows[-1].ids)
            words = self.crew.agree((done, tried, longest))
            short = [(tried, longest) for _, tried, longest in words if tried]
            if not short:
                return [done for done, _, _ in words]
            self.optimizer.zero_grad(set_to_none=True)
            give_back(self.base.device)
            try:
                self.most, told = halved(*min(short))
            except EngineError as error:
                raise Agreed(str(error)) from error
            self._to_say.append(told)

    def _clipped(self) -> float:
        """The gradients' norm before they are clipped."""
        self.scaler.unscale_(self.optimizer)
        most = self.settings.clip or math.inf
        return float(nn.utils.clip_grad_norm_(self.parameters, most))

    def _scaled_step(self, norm: float, number: int) -> float:
        """A step that is left out where the scaled gradient overflowed; the norm, 0 where it was."""
        self._optimizer_step()
        self.scaler.update()
        if math.isfinite(norm):
            return norm
        if not self.skipped:
            self._to_say.append(
                f"fp16: the gradient overflowed at step {number}, so that step was skipped and the loss scale halved; "
                "at the start this is usual"
            )
        self.skipped += 1
        return math.inf if self.scaler.get_scale() < _LEAST_SCALE else 0.0

    def _optimizer_step(self) -> None:
        try:
            self.scaler.step(self.optimizer)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise EngineError(
                f"finetune: the state of {self.settings.optimizer} does not fit into memory; take adamw_8bit or "
                "adafactor, a smaller finetune.rank, or lora where the method is full"
            ) from error

    def validate(self) -> float | None:
        """Nats per supervised token over the held-out rows."""
        if not self.held:
            return None
        mine = share(self.held, self.crew)
        found = self._within_memory(mine, lambda: self._held_loss(mine))
        return sum(nats for nats, _ in found) / sum(tokens for _, tokens in found)

    def _held_loss(self, rows: Sequence[Row]) -> tuple[float, int]:
        """Nats of the rows, and over how many tokens."""
        nats, tokens = 0.0, 0
        with torch.inference_mode(), self.precision.autocast():
            for some in self.forward.calls(rows, self.most):
                losses, _ = self.forward.nats(some)
                nats += float(losses.cpu().double().sum())
                tokens += len(losses)
        return nats, tokens

    def level(self) -> None:
        """Start from the very weights that the process of rank 0 has."""
        self.crew.level(self.parameters)

    def sample(self) -> list[tuple[str, str]]:
        """The job's sample poems, by the weights of the moment."""
        with self.precision.autocast():
            return write_samples(self.base, self.samples, self.most)

    def save(self, folder: Path) -> None:
        """The adapter as peft keeps it, or the whole model; the base's tokenizer files beside it."""
        if not all(bool(torch.isfinite(p).all()) for p in self.parameters):
            raise FloatingPointError("a trained weight is not a number")
        if self.worn is not None:
            adapters.save(self.worn, folder)
        else:
            merging.save_model(self.base.model, folder)
        copy_tokenizer(self.base.folder, folder)

    def save_resume(self, folder: Path) -> None:
        """The optimizer's state by the parameter's name, the loss scale, and what memory allowed."""
        tensors, numbers = state_of(self.optimizer, self.named)
        save_file(tensors, folder / _TENSORS)
        state = {"numbers": numbers, "scaler": self.scaler.state_dict(), "skipped": self.skipped, "most": self.most}
        (folder / _STATE).write_text(json.dumps(state), "utf-8")

    def resume(self, folder: Path, resume: Path) -> None:
        """Weights and state, bit for bit."""
        if self.worn is not None:
            adapters.read_into(self.worn, folder)
        else:
            merging.read_into(self.base.model, folder)
        state = json.loads((resume / _STATE).read_text("utf-8"))
        restore(self.optimizer, self.named, load_file(resume / _TENSORS), state["numbers"])
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])
        self.skipped, self.most = state["skipped"], state["most"]

    def close(self) -> None:
        """Leave the base as it was, where an adapter was trained."""
        if self.worn is not None:
            adapters.take_off(self.worn)
            self.base.model.requires_grad_(False)
            self._biases.restore()


@contextmanager
def _seeded(device: Any, seed: int) -> Iterator[None]:
    """torch's generators seeded inside, as they were outside."""
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed % 2**63)
        yield
