"""Preference training: trl's DPO or KTO loss in poetune's own loop, so that it is kept and resumed like any training.

DPO: Rafailov et al. 2023; KTO: Ethayarajh et al. 2024. The reference is the model without its adapter.
"""

import json
import math
import random
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from poetune.backends import bases
from poetune.backends.loop import Identity, Stepped, run
from poetune.backends.rendering import Renderer
from poetune.backends.torch import adapters, loading
from poetune.backends.torch.loading import Base
from poetune.backends.torch.memory import is_out_of_memory
from poetune.backends.torch.optimizers import open_optimizer, restore, state_of
from poetune.backends.torch.precision import precision_of
from poetune.errors import EngineError
from poetune.ports import Needs, TrainEvent, TrainJob
from poetune.recipe import Preferring
from poetune.records import Example, digest

_TENSORS, _STATE = "optimizer.safetensors", "state.json"
Row = dict[str, Any]


def prefer(job: TrainJob, settings: Preferring, device: Any) -> Iterator[TrainEvent]:
    """Train an adapter on pairs (`dpo`) or on poems liked and not (`kto`), resuming from `job.folder`.

    Raises:
        EngineError: trl is not installed, or no row fits.
    """
    if find_spec("trl") is None:
        raise EngineError(
            'finetune: the preference stage needs trl, which is not installed; run pip install "poetune[torch]"'
        )
    folder = bases.resolve(job.weights.base)
    renderer, print_ = bases.open_renderer(folder), bases.fingerprint(folder)
    fits = settings.model_copy(update={"longest": bases.longest_row(folder, settings.longest)})
    train, held = (rows_of(renderer, job.examples, split, fits) for split in ("train", "validation"))
    if not train:
        raise EngineError("finetune: no preference row fits finetune.longest; make it larger")
    total = settings.total(len(train))
    key = digest(
        "preference", print_, renderer.template_hash, [e.id for e in job.examples], settings.model_dump(), job.seed
    )
    learners: list[PreferenceLearner] = []

    def opened() -> PreferenceLearner:
        base = loading.load(folder, device, dtype=precision_of(settings, device).stored)
        learners.append(PreferenceLearner(base, settings, job.seed, train, held, job.weights.base))
        return learners[0]

    yield from run(job, total, Identity("torch", key, print_, renderer.template_hash), opened)


def needed(plain: Needs, settings: Preferring) -> Needs:
    """What a preference training takes, from what learning each row once would."""
    pairs = settings.loss == "dpo"
    # Passes a row, a backward one counted twice: 2 x (3 + 1) of a pair, 3 + 3 of a poem with its KL, beside 3.
    note = "every row is read by the model and by the one it began from" + (", two poems a row" if pairs else "")
    return replace(
        plain,
        seconds=plain.seconds * (8 / 3 if pairs else 2),
        memory=plain.memory * (2 if pairs else 1),
        notes=(*plain.notes, note),
    )


def rows_of(renderer: Renderer, examples: Sequence[Example], split: str, settings: Preferring) -> list[Row]:
    """Token ids as trl's collators read them; rows longer than `longest` are left out, since a poem cut short would be
    liked for its missing end.
    """
    rows: list[Row] = []
    for example in examples:
        if example.split != split:
            continue
        before = renderer.prompt(example.conversation)
        texts = [example.completion, *([example.rejected] if settings.loss == "dpo" else [])]
        ends = [[*renderer.completion(text), renderer.eos] for text in texts]
        if len(before) + max(map(len, ends)) > settings.longest:
            continue
        if settings.loss == "dpo":
            rows.append({"prompt_ids": before, "chosen_ids": ends[0], "rejected_ids": ends[1]})
        else:
            rows.append({"prompt_ids": before, "completion_ids": ends[0], "label": example.liked == "yes"})
    return rows


class PreferenceLearner:
    """An adapter, its optimizer and the rows of one preference training. trl is asked for losses only."""

    def __init__(
        self, base: Base, settings: Preferring, seed: int, rows: Sequence[Row], held: Sequence[Row], name: str
    ) -> None:
        self.base, self.settings, self.seed, self.rows, self.held = base, settings, seed, rows, held
        self.notes: tuple[str, ...] = (f"{settings.loss} by trl: {len(rows)} rows to learn, {len(held)} held out",)
        self.precision = precision_of(settings, base.device)
        devices = [base.device.index or 0] if base.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.trainer = _trainer(base, settings, seed, rows[:1], adapters.lora_config(base.model, settings, name))
        self.worn = self.trainer.model
        self.named = [(n, p) for n, p in self.worn.named_parameters() if p.requires_grad]
        self.parameters = [p for _, p in self.named]
        for parameter in self.parameters:
            parameter.data = parameter.data.float()
        self.optimizer = open_optimizer(settings, self.named, base.device)
        self._to_say: list[str] = []

    def step(self, number: int, rate: float) -> Stepped:
        """One optimizer step over `batch` x `accumulation` rows; losses are means over rows."""
        rows = self._drawn(number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.worn.train()
        loss = 0.0
        for some in self._batches(rows):
            part = self._loss(some) * (len(some) / len(rows))
            part.backward()
            loss += float(part.detach())
        self.worn.eval()
        norm = float(nn.utils.clip_grad_norm_(self.parameters, self.settings.clip or math.inf))
        if math.isfinite(loss) and math.isfinite(norm):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        said, self._to_say = tuple(self._to_say), []
        return Stepped(loss * len(rows), len(rows), sum(map(_size, rows)), norm, said)

    def validate(self) -> float | None:
        """The mean loss over held-out rows; how many of them the model tells right is said."""
        if not self.held:
            return None
        self.worn.eval()
        metrics = self.trainer._metrics["eval"]
        metrics.clear()
        with torch.no_grad():
            found = [(float(self._loss(some)), len(some)) for some in self._batches(self.held)]
        if self.settings.loss == "dpo":
            right = metrics["rewards/accuracies"]
            told = sum(share * count for share, (_, count) in zip(right, found, strict=True)) / len(self.held)
            self._to_say = [f"of the held-out pairs, {told:.0%} are told right"]
        return sum(loss * count for loss, count in found) / len(self.held)

    def sample(self) -> list[tuple[str, str]]:
        """No sample poems: the guards write with it when it is done."""
        return []

    def save(self, folder: Path) -> None:
        """The adapter as peft keeps it, the base's tokenizer files beside it."""
        if not all(bool(torch.isfinite(p).all()) for p in self.parameters):
            raise FloatingPointError("a trained weight is not a number")
        adapters.save(self.worn, folder)
        bases.copy_tokenizer(self.base.folder, folder)

    def save_resume(self, folder: Path) -> None:
        """The optimizer's state by the parameter's name."""
        tensors, numbers = state_of(self.optimizer, self.named)
        save_file(tensors, folder / _TENSORS)
        (folder / _STATE).write_text(json.dumps(numbers), "utf-8")

    def resume(self, folder: Path, resume: Path) -> None:
        """Weights and state, bit for bit."""
        adapters.read_into(self.worn, folder)
        restore(
            self.optimizer, self.named, load_file(resume / _TENSORS), json.loads((resume / _STATE).read_text("utf-8"))
        )

    def _drawn(self, number: int) -> list[Row]:
        """The rows of step 1, 2, ...: each epoch in an order of its own."""
        size = self.settings.batch * self.settings.accumulation
        epoch, turn = divmod(number - 1, -(-len(self.rows) // size))
        order = list(range(len(self.rows)))
        random.Random(f"preference:{self.seed}:{epoch}").shuffle(order)  # noqa: S311
        return [self.rows[i] for i in order[turn * size : (turn + 1) * size]]

    def _batches(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """Rows in calls. KTO's KL is estimated from poems under another's prompt, so these are turned by one."""
        size = max(2, self.settings.batch)
        for start in range(0, len(rows), size):
            some = list(rows[start : start + size])
            if self.settings.loss == "kto":
                turned = [some[i - 1]["completion_ids"] for i in range(len(some))]
                some = [{**row, "KL_completion_ids": other} for row, other in zip(some, turned, strict=True)]
            yield some

    def _loss(self, rows: Sequence[Row]) -> Any:
        batch = {key: value.to(self.base.device) for key, value in self.trainer.data_collator(list(rows)).items()}
        try:
            with self.precision.autocast(), warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # trl reads an attribute that transformers renamed
                return self.trainer.compute_loss(self.worn, batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise EngineError(
                f"finetune: {len(rows)} preference rows do not fit into memory; make finetune.preference.batch smaller"
            ) from error
        finally:
            self.trainer._metrics["train"].clear()


def _size(row: Row) -> int:
    return sum(len(value) for key, value in row.items() if key.endswith("_ids"))


def _trainer(base: Base, settings: Preferring, seed: int, sample: Sequence[Row], config: Any) -> Any:
    """trl's trainer around the base: it puts the adapter on and keeps the loss; nothing is ever trained by it."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

    kind, made = (DPOTrainer, DPOConfig) if settings.loss == "dpo" else (KTOTrainer, KTOConfig)

    class Losses(kind):  # type: ignore[misc, valid-type]
        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset  # poetune's own ids: prompt and poem tokenised apart, as for writing

    with tempfile.TemporaryDirectory() as nowhere:
        arguments = made(
            output_dir=nowhere,
            beta=settings.beta,
            seed=seed % 2**32,
            max_length=None,
            per_device_train_batch_size=max(2, settings.batch),
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=base.device.type == "cpu",
            report_to="none",
            remove_unused_columns=False,
        )
        rows = [
            {**row, "KL_completion_ids": row["completion_ids"]} if settings.loss == "kto" else row for row in sample
        ]
        return Losses(
            model=base.model,
            args=arguments,
            train_dataset=Dataset.from_list(rows),
            processing_class=base.renderer.tokenizer,
            peft_config=config,
        )
