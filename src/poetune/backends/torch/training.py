"""The torch learner: AdamW on an adapter, or on the whole model, one optimizer step at a time."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from poetune.backends.loop import Stepped
from poetune.backends.torch import adapters, merging
from poetune.backends.torch.dropout import quicken
from poetune.backends.torch.forward import token_nats
from poetune.backends.torch.loading import Base
from poetune.backends.torch.rows import Row, Rows
from poetune.errors import EngineError
from poetune.ports import TrainJob
from poetune.recipe import Finetune

_STATE = "optimizer.safetensors"
_CALL_TOKENS = {"cpu": 64}  # on a GPU a call costs more than any padding


class TorchLearner:
    """Weights, optimizer and rows of one training. The base's own dropout stays off; LoRA's is on during a step."""

    def __init__(self, base: Base, job: TrainJob, train: Rows, held: Rows, base_name: str) -> None:
        self.base, self.settings, self.seed = base, job.settings, job.seed
        self.rows, self.held = train.rows, _held(held.rows, job)
        self.notes = tuple(_said(train, job.settings, "training") + _said(held, job.settings, "validation"))
        self.worn: Any = None
        if job.settings.method == "full":
            base.model.requires_grad_(True)
        elif job.weights.adapter:
            self.worn = adapters.attach_saved(base.model, Path(job.weights.adapter), trains=True)
            config = self.worn.peft_config["default"]
            self.notes += (f"goes on from an adapter and keeps its shape: rank {config.r}, alpha {config.lora_alpha}",)
        else:
            with _seeded(base.device, job.seed):
                config = adapters.lora_config(base.model, job.settings, base_name)
                self.worn = adapters.attach(base.model, config)
        trained = [(n, p) for n, p in base.model.named_parameters() if p.requires_grad]
        self.names, self.parameters = [n for n, _ in trained], [p for _, p in trained]
        self.optimizer = torch.optim.AdamW(
            self.parameters,
            lr=job.settings.rate,
            weight_decay=job.settings.weight_decay,
            fused=base.device.type in ("cpu", "cuda"),
        )
        self._noisy = quicken(base.model)
        self._call_cost = _CALL_TOKENS.get(base.device.type, 2**30)

    def step(self, number: int, rate: float) -> Stepped:
        """One optimizer step; gradients are of the mean over all supervised tokens of the step."""
        rows = step_rows(self.rows, number, self.settings, self.seed)
        supervised = sum(len(row.ids) - row.first for row in rows)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        nats = torch.zeros((), dtype=torch.float64)
        for module in self._noisy:
            module.train()
        with _seeded(self.base.device, self.seed * 1_000_003 + number):
            for some in runs(rows, self.settings.batch, self._call_cost):
                with self._autocast():
                    loss = token_nats(self.base, some)[0].sum()
                (loss / supervised).backward()
                nats += loss.detach().cpu().double()
        for module in self._noisy:
            module.eval()
        nn.utils.clip_grad_norm_(self.parameters, self.settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return Stepped(float(nats), supervised, sum(len(row.ids) for row in rows))

    def validate(self) -> float | None:
        """Nats per supervised token over the held-out rows."""
        if not self.held:
            return None
        nats, tokens = 0.0, 0
        with torch.inference_mode(), self._autocast():
            for some in runs(self.held, self.settings.batch, self._call_cost):
                losses, _ = token_nats(self.base, some)
                nats += float(losses.cpu().double().sum())
                tokens += len(losses)
        return nats / tokens

    def save(self, folder: Path) -> None:
        """The adapter as peft keeps it, or the whole model; the base's tokenizer files beside it."""
        if self.worn is not None:
            adapters.save(self.worn, folder)
        else:
            merging.save_model(self.base.model, folder)
        merging.copy_tokenizer(self.base.folder, folder)

    def save_resume(self, folder: Path) -> None:
        """AdamW's moments, by the parameter's name."""
        tensors = {}
        for name, parameter in zip(self.names, self.parameters, strict=True):
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"{key}:{name}"] = value.detach().cpu().contiguous()
        save_file(tensors, folder / _STATE)

    def resume(self, folder: Path, resume: Path) -> None:
        """Weights and moments, bit for bit."""
        if self.worn is not None:
            adapters.read_into(self.worn, folder)
        else:
            merging.read_into(self.base.model, folder)
        saved = load_file(resume / _STATE)
        for name, parameter in zip(self.names, self.parameters, strict=True):
            counter = parameter.device if parameter.device.type == "cuda" else "cpu"  # where fused AdamW keeps it
            self.optimizer.state[parameter] = {
                key: saved[f"{key}:{name}"].to(counter if key == "step" else parameter.device, copy=True)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }

    def close(self) -> None:
        """Leave the base as it was, where an adapter was trained."""
        if self.worn is not None:
            adapters.take_off(self.worn)
            self.base.model.requires_grad_(False)

    def _autocast(self) -> Any:
        return torch.autocast("cuda", torch.bfloat16, enabled=self.base.device.type == "cuda")


def step_rows(rows: Sequence[Row], number: int, settings: Finetune, seed: int) -> list[Row]:
    """The rows of optimizer step 1, 2, ...: each epoch in an order of its own, its tail a smaller step.

    Sorted by length, so that micro-batches hold little padding.
    """
    size = settings.batch * settings.accumulation
    epoch, turn = divmod(number - 1, -(-len(rows) // size))
    order = list(range(len(rows)))
    random.Random(f"{seed}:{epoch}").shuffle(order)  # noqa: S311
    return sorted((rows[i] for i in order[turn * size : (turn + 1) * size]), key=lambda row: len(row.ids))


def runs(rows: Sequence[Row], most: int, call_cost: int) -> Iterator[Sequence[Row]]:
    """Rows sorted by length, cut into calls of at most `most` rows so that pads and calls together cost the least.

    `call_cost` is what a call costs beside its tokens, in tokens.
    """
    best, cut = [0.0], [0]
    for end in range(1, len(rows) + 1):
        costs = [
            (best[start] + (end - start) * len(rows[end - 1].ids) + call_cost, start)
            for start in range(max(0, end - most), end)
        ]
        cost, start = min(costs)
        best.append(cost)
        cut.append(start)
    edges = [len(rows)]
    while edges[-1]:
        edges.append(cut[edges[-1]])
    edges.reverse()
    for start, end in pairwise(edges):
        yield rows[start:end]


def _held(rows: Sequence[Row], job: TrainJob) -> list[Row]:
    most = job.settings.validate_batches * job.settings.batch
    order = list(rows)
    if most and most < len(order):
        random.Random(job.seed).shuffle(order)  # noqa: S311
        order = order[:most]
    return sorted(order, key=lambda row: len(row.ids))


def _said(rows: Rows, settings: Finetune, split: str) -> list[str]:
    out = []
    if rows.cut:
        out.append(f"{rows.cut} {split} poems are longer than {settings.longest} tokens and were cut at a line break")
    if rows.left_out:
        out.append(f"{rows.left_out} {split} examples were left out: empty, or their prompt fills all of longest")
    if split == "training" and not rows.rows:
        raise EngineError("finetune: no training example is left; raise finetune.longest or check dataset.shares")
    return out


@contextmanager
def _seeded(device: Any, seed: int) -> Iterator[None]:
    """torch's generators seeded inside, as they were outside."""
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed % 2**63)
        yield
