"""The mlx engine: one base loaded at a time, adapters put on and taken off without loading or quantizing it again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx

from poetune.backends import bases, checkpoints, crossing
from poetune.backends.local import LocalEngine, by_weights
from poetune.backends.loop import run
from poetune.backends.mlx import adapters, formats, loading, merging, needs, optimizers, scoring
from poetune.backends.mlx.generating import write_rows
from poetune.backends.mlx.loading import Base
from poetune.backends.mlx.opening import open_for_training
from poetune.backends.mlx.training import MlxLearner
from poetune.backends.ordering import texts_read
from poetune.backends.poem import PoemRow
from poetune.backends.rows import Row
from poetune.errors import EngineError
from poetune.ports import Capabilities, Needs, Request, Score, TrainEvent, TrainJob, Weights, Written
from poetune.recipe import Training


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What weights come to: a base's folder, how it is quantized on loading, and the adapter on it or None."""

    folder: Path
    quantize: str
    saved: formats.Saved | None


class MlxEngine(LocalEngine):
    """mlx and mlx-lm behind the doors `Trainer` and `Generator`; for one thread at a time.

    `batch` is how many poems are written together; `device` is auto (Apple's GPU where there is one), cpu or gpu.
    """

    capabilities = Capabilities(
        "mlx",
        frozenset({"lora", "rslora", "dora", "full"}),
        generates=True,
        scores=True,
        beams=False,
        merges=True,
    )

    def __init__(self, batch: int = 32, device: str = "auto") -> None:
        super().__init__()
        if device != "auto":
            mx.set_default_device(mx.Device(getattr(mx, device)))
        self.batch = batch
        self.device = "gpu" if mx.default_device() == mx.gpu else "cpu"
        self._base: Base | None = None
        self._weights: Weights | None = None

    def needs(self, job: TrainJob) -> Needs:
        """From config, tokenizer and a sample of the examples; no weights are loaded."""
        return needs.estimate(job, bases.resolve(job.weights.base, weights=False))

    def train(self, job: TrainJob) -> Iterator[TrainEvent]:
        """Train an adapter (`lora`, `rslora`, `dora`) or the whole model (`full`), resuming from `job.folder`."""
        self._can(job)
        _refuse(job)
        folder = bases.resolve(job.weights.base)
        if loading.kept_bits(loading.check(folder, job.settings.quantize)) and job.settings.method == "full":
            raise EngineError(
                f"{folder}: a quantized base cannot be trained in full; train lora, or name the full base"
            )
        return self._train(job, folder, self._start(job, folder))

    def _train(self, job: TrainJob, folder: Path, source: Path) -> Iterator[TrainEvent]:
        identity, settings = self._run(job, folder), job.settings
        train, held = self._rows(job, folder)
        total = settings.total(len(train.rows))
        learners: list[MlxLearner] = []

        def open_learner() -> MlxLearner:
            texts = texts_read(train.rows, held.rows, job, total)
            opened = open_for_training(source, identity.base, job, texts, lambda: self._lend(source, settings))
            learners.append(MlxLearner(opened, job, train, held))
            return learners[0]

        try:
            yield from run(job, total, identity, open_learner)
        finally:
            for learner in learners:
                learner.close()
                if self._base is None and learner.base.writes and settings.method != "full":
                    self._base, self._weights = learner.base, None

    def _merged(self, base: Path, adapter: Path | None, out: Path) -> None:
        merging.merge(base, adapter, out)

    def generate(self, requests: Iterable[Request]) -> Iterator[Written]:
        """Grouped by model, then by length of the prompt; each poem is given out when it is done."""
        groups = by_weights(self._drawn(requests))
        for weights in sorted(groups, key=lambda each: each.base):
            base = self._wear(weights)
            rows = [PoemRow(base.renderer, base.context, request) for request in groups[weights]]
            for written in write_rows(base, sorted(rows, key=lambda row: len(row.prompt)), self.batch):
                yield written
                self._wear_again(weights, base)

    @staticmethod
    def _drawn(requests: Iterable[Request]) -> Iterator[Request]:
        for request in requests:
            if request.sampling.beams > 1:
                raise EngineError("mlx cannot search with beams; set generate.beams to 1, or engine to torch")
            yield request

    def _scored(self, base: Base, rows: Sequence[Row]) -> list[Score]:
        return scoring.score_rows(base, rows)

    def _wear(self, weights: Weights) -> Base:
        """The base with this adapter on and no other."""
        if self._base is not None and self._weights == weights:
            return self._base
        wanted = self._wanted(weights)
        base = self._bare(wanted.folder, loading.pick_dtype(), wanted.quantize)
        if wanted.saved is not None:
            adapters.put_on_saved(base.model, wanted.saved)
        self._weights = weights
        return base

    def _wanted(self, weights: Weights) -> _Wanted:
        folder = bases.resolve(weights.base)
        if not weights.adapter:
            return _Wanted(folder, "no", None)
        adapter = Path(weights.adapter)
        self._check(adapter, folder)
        if checkpoints.is_whole(adapter):
            return _Wanted(adapter.resolve(), "no", None)
        saved = formats.read(adapter)
        return _Wanted(folder, saved.quantize, saved)

    def _bare(self, folder: Path, dtype: Any, quantize: str) -> Base:
        """The base without an adapter, loaded if another is, or it is kept in other numbers."""
        base = self._base
        if base is not None:
            adapters.take_off(base.model)
        self._weights = None
        if base is None or (base.folder, base.dtype, base.quantize) != (folder, dtype, quantize):
            self._base = base = None
            base = self._base = loading.load(folder, dtype, quantize)
        return base

    def _lend(self, folder: Path, settings: Training) -> Base:
        """A base for training alone: whoever writes meanwhile loads another."""
        base = self._bare(folder.resolve(), loading.pick_dtype(settings), settings.quantize)
        self._base = None
        return base

    def _kind(self, adapter: Path) -> None:
        if not crossing.is_mlx(adapter) and not crossing.is_peft(adapter) and not checkpoints.is_whole(adapter):
            raise EngineError(f"{adapter}: is no adapter of mlx-lm or peft, and no model; name a checkpoint folder")


def _refuse(job: TrainJob) -> None:
    """Raises EngineError for what a recipe asks and mlx cannot do, before a file of weights is opened."""
    settings = job.settings
    if settings.bias != "none":
        raise EngineError(
            "finetune.bias: mlx cannot train biases beside an adapter; set it to none, or engine to torch"
        )
    if any(request.sampling.beams > 1 for request in job.samples):
        raise EngineError("mlx cannot search with beams, not for sample poems either; set generate.beams to 1")
    optimizers.check(settings)
    loading.pick_dtype(settings)
