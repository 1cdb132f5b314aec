"""The mlx engine: one base loaded at a time, adapters put on and taken off without loading or quantizing it again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx

from poetune.backends import bases, checkpoints
from poetune.backends.loop import Identity, run
from poetune.backends.mlx import adapters, formats, loading, merging, needs, optimizers, scoring
from poetune.backends.mlx.generating import write_rows
from poetune.backends.mlx.loading import Base
from poetune.backends.mlx.opening import open_for_training
from poetune.backends.mlx.training import MlxLearner
from poetune.backends.ordering import texts_read
from poetune.backends.poem import PoemRow
from poetune.backends.rendering import Renderer
from poetune.backends.rows import build_rows, score_row
from poetune.errors import EngineError
from poetune.ports import Capabilities, Needs, Request, Score, ScoreRequest, TrainEvent, TrainJob, Weights, Written
from poetune.recipe import Training
from poetune.records import Conversation, digest


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What weights come to: a base's folder, how it is quantized on loading, and the adapter on it or None."""

    folder: Path
    quantize: str
    saved: formats.Saved | None


class MlxEngine:
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
        bases.quiet()
        if device != "auto":
            mx.set_default_device(mx.Device(getattr(mx, device)))
        self.batch = batch
        self.device = "gpu" if mx.default_device() == mx.gpu else "cpu"
        self._base: Base | None = None
        self._weights: Weights | None = None
        self._known: dict[tuple[Path, tuple[int, ...]], tuple[Renderer, str]] = {}

    def needs(self, job: TrainJob) -> Needs:
        """From config, tokenizer and a sample of the examples; no weights are loaded."""
        return needs.estimate(job, bases.resolve(job.weights.base, weights=False))

    def train(self, job: TrainJob) -> Iterator[TrainEvent]:
        """Train an adapter (`lora`, `rslora`, `dora`) or the whole model (`full`), resuming from `job.folder`."""
        _refuse(job, self.capabilities)
        folder, parent = bases.resolve(job.weights.base), Path(job.weights.adapter or ".")
        full = job.settings.method == "full"
        if loading.kept_bits(loading.check(folder, job.settings.quantize)) and full:
            raise EngineError(
                f"{folder}: a quantized base cannot be trained in full; train lora, or name the full base"
            )
        if job.weights.adapter:
            self._check(parent, folder)
            if merging.is_whole(parent) != full:
                raise EngineError(
                    f"{parent}: is no {job.settings.method} checkpoint, so it cannot be trained on; merge it first"
                )
        return self._train(job, folder, parent if full and job.weights.adapter else folder)

    def _train(self, job: TrainJob, folder: Path, source: Path) -> Iterator[TrainEvent]:
        renderer, print_ = self._identity(folder)
        settings = job.settings
        rows = {
            split: build_rows(
                renderer, [e for e in job.examples if e.split == split], settings.longest, settings.too_long
            )
            for split in ("train", "validation")
        }
        total = settings.total(len(rows["train"].rows))
        asked = [e.id for e in job.examples], settings.model_dump(), job.seed, job.weights.adapter
        key = digest("mlx", print_, renderer.template_hash, *asked)
        learners: list[MlxLearner] = []

        def open_learner() -> MlxLearner:
            texts = texts_read(rows["train"].rows, rows["validation"].rows, job, total)
            opened = open_for_training(source, print_, job, texts, lambda: self._lend(source, settings))
            learners.append(MlxLearner(opened, job, rows["train"], rows["validation"]))
            return learners[0]

        try:
            yield from run(job, total, Identity("mlx", key, print_, renderer.template_hash), open_learner)
        finally:
            for learner in learners:
                learner.close()
                if self._base is None and learner.base.writes and settings.method != "full":
                    self._base, self._weights = learner.base, None

    def merge(self, weights: Weights, out: Path) -> None:
        """Write base + adapter as one model into `out`, in full precision, with the tokenizer."""
        folder = bases.resolve(weights.base)
        adapter = Path(weights.adapter) if weights.adapter else None
        if adapter is not None:
            self._check(adapter, folder)
        merging.merge(folder, adapter, out)

    def render(self, weights: Weights, conversation: Conversation) -> list[int]:
        """The ids that the model reads before it writes; only the tokenizer is loaded."""
        return self._identity(bases.resolve(weights.base, weights=False))[0].prompt(conversation)

    def generate(self, requests: Iterable[Request]) -> Iterator[Written]:
        """Grouped by model, then by length of the prompt; each poem is given out when it is done."""
        groups: dict[Weights, list[Request]] = {}
        for request in requests:
            if request.sampling.beams > 1:
                raise EngineError("mlx cannot search with beams; set generate.beams to 1, or engine to torch")
            groups.setdefault(request.weights, []).append(request)
        for weights in sorted(groups, key=lambda each: each.base):
            base = self._wear(weights)
            rows = [PoemRow(base.renderer, base.context, request) for request in groups[weights]]
            for written in write_rows(base, sorted(rows, key=lambda row: len(row.prompt)), self.batch):
                yield written
                if self._wear(weights) is not base:  # the caller may have used the engine between two poems
                    raise EngineError("mlx: another base was loaded between two poems; use a second engine for it")

    def score(self, requests: Sequence[ScoreRequest]) -> list[Score]:
        """Log-likelihoods, in the order asked."""
        out: dict[int, Score] = {}
        groups: dict[Weights, list[int]] = {}
        for i, request in enumerate(requests):
            groups.setdefault(request.weights, []).append(i)
        for weights, places in groups.items():
            base = self._wear(weights)
            rows = [score_row(base.renderer, requests[i], base.context) for i in places]
            out.update(zip(places, scoring.score_rows(base, rows), strict=True))
        return [out[i] for i in range(len(requests))]

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
        if merging.is_whole(adapter):
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

    def _identity(self, folder: Path) -> tuple[Renderer, str]:
        """Renderer and fingerprint of a base, read once as long as its files stay as they are."""
        key = folder, tuple(path.stat().st_mtime_ns for path in sorted(folder.iterdir()))
        if key not in self._known:
            self._known[key] = bases.open_renderer(folder), bases.fingerprint(folder)
        return self._known[key]

    def _check(self, adapter: Path, base: Path) -> None:
        """Refuse an adapter that is missing, or was trained on another base or template."""
        if not adapter.exists():
            raise EngineError(f"{adapter}: there is no such checkpoint; list the models with `poetune status`")
        if not formats.is_mlx(adapter) and not formats.is_peft(adapter) and not merging.is_whole(adapter):
            raise EngineError(f"{adapter}: is no adapter of mlx-lm or peft, and no model; name a checkpoint folder")
        note = checkpoints.read_note(adapter)
        if note is None:
            return
        renderer, print_ = self._identity(base)
        if note.base != print_:
            raise EngineError(f"{adapter}: was trained on another base than {base}; name the base it came from")
        if note.template != renderer.template_hash:
            raise EngineError(f"{adapter}: was trained with another chat template; restore the one of its folder")


def _refuse(job: TrainJob, can: Capabilities) -> None:
    """Raises EngineError for what a recipe asks and mlx cannot do, before a file of weights is opened."""
    settings = job.settings
    if settings.method not in can.trains:
        known = ", ".join(sorted(can.trains))
        raise EngineError(f"mlx cannot train with method {settings.method!r}; set finetune.method to one of {known}")
    if settings.method == "full" and settings.quantize != "no":
        raise EngineError("finetune.quantize: a quantized base cannot be trained in full; set it to no, or train lora")
    if settings.bias != "none":
        raise EngineError(
            "finetune.bias: mlx cannot train biases beside an adapter; set it to none, or engine to torch"
        )
    if any(request.sampling.beams > 1 for request in job.samples):
        raise EngineError("mlx cannot search with beams, not for sample poems either; set generate.beams to 1")
    optimizers.check(settings)
    loading.pick_dtype(settings)
