"""The torch engine: one base loaded at a time, adapters put on and taken off."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from poetune.backends import bases, checkpoints, crossing, processes
from poetune.backends.checkpoints import Note
from poetune.backends.local import LocalEngine
from poetune.backends.loop import run
from poetune.backends.ordering import texts_read
from poetune.backends.rows import Row, Rows
from poetune.backends.torch import adapters, blending, loading, merging, needs, scoring
from poetune.backends.torch.crew import Alone, Crew
from poetune.backends.torch.launched import Launched
from poetune.backends.torch.loading import Base, pick_dtype
from poetune.backends.torch.memory import give_back
from poetune.backends.torch.opening import Kept, open_for_training
from poetune.backends.torch.parallel import Led, leading
from poetune.backends.torch.precision import precision_of
from poetune.backends.torch.quantized import load_quantized
from poetune.backends.torch.together import House, write_all
from poetune.backends.torch.training import TorchLearner
from poetune.errors import EngineError
from poetune.ports import BLENDS, Capabilities, Mix, Needs, Request, Score, TrainEvent, TrainJob, Weights, Written
from poetune.recipe import Preferring, Training


class TorchEngine(LocalEngine):
    """torch, transformers and peft behind the doors `Trainer` and `Generator`; for one thread at a time.

    `batch` is how many poems are written together; `device` is auto, cpu, cuda or mps.
    """

    capabilities = Capabilities(
        "torch",
        frozenset({"lora", "rslora", "dora", "full"}),
        generates=True,
        scores=True,
        beams=True,
        merges=True,
        blends=frozenset(BLENDS),
        prefers=True,
    )

    def __init__(self, batch: int = 32, device: str = "auto") -> None:
        super().__init__()
        self.batch = batch
        self.device = loading.pick_device(device)
        self.crew: Crew = Alone()
        self._base: Base | None = None
        self._worn: adapters.Worn | None = None
        self._weights: Weights | None = None
        self._kept = Kept()

    def needs(self, job: TrainJob) -> Needs:
        """From config, tokenizer and a sample of the examples; no weights are loaded."""
        folder = bases.resolve(job.weights.base, weights=False)
        found = needs.estimate(job, folder, self.device, processes.size())
        if isinstance(job.settings, Preferring):
            from poetune.backends.torch.preference import needed

            return needed(found, job.settings)
        return found

    def train(self, job: TrainJob) -> Iterator[TrainEvent]:
        """Train an adapter (`lora`, `rslora`, `dora`) or the whole model (`full`), resuming from `job.folder`."""
        if isinstance(job.settings, Preferring):
            from poetune.backends.torch.preference import prefer

            return prefer(job, job.settings, self.device)
        return self._train(*self._checked(job))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside, trainings are shared with the other processes of a launch, which this one, of rank 0, leads.

        Raises:
            EngineError: there are more processes than GPUs.
        """
        with leading() as crew:
            self.crew, self.device = crew, crew.device
            try:
                yield
            finally:
                self.crew = Alone()

    def opened(self, job: TrainJob) -> TorchLearner:
        """In a process that another leads: the learner of its job; files are read only."""
        job, folder, source = self._checked(job)
        return self._learner(job, folder, source, self._rows(job, folder))

    def closed(self, learner: TorchLearner) -> None:
        """Let a learner go; its base stays where it is of use for writing, or for the next training."""
        learner.close()
        if learner.settings.bias == "none":
            self._kept.put(learner.opened)
        if self._base is None and self._writes(learner.base, learner.settings):
            self._base, self._weights = learner.base, None

    def _checked(self, job: TrainJob) -> tuple[TrainJob, Path, Path]:
        """The job with its bias setting, the base's folder, and the folder of the weights that it starts from."""
        self._can(job)
        precision_of(job.settings, self.device)
        folder = bases.resolve(job.weights.base)
        source = self._start(job, folder)
        if job.weights.adapter:
            bias = adapters.saved_bias(Path(job.weights.adapter))
            job = replace(job, settings=job.settings.model_copy(update={"bias": bias}))
        return job, folder, source

    def _learner(self, job: TrainJob, folder: Path, source: Path, rows: tuple[Rows, Rows]) -> TorchLearner:
        train, held = rows
        texts = texts_read(train.rows, held.rows, job, job.settings.total(len(train.rows)))
        precision, renderer = precision_of(job.settings, self.device), self._identity(folder)[0]
        opened = open_for_training(
            source,
            job,
            texts,
            renderer,
            precision,
            lambda: self._lend(source, job.settings),
            self._kept,
            fills=not self.crew.rank,
        )
        name = str(folder) if Path(job.weights.base).is_dir() or job.weights.base == "starter" else job.weights.base
        return TorchLearner(opened, job, train, held, name, self.crew)

    def _train(self, job: TrainJob, folder: Path, source: Path) -> Iterator[TrainEvent]:
        identity, rows = self._run(job, folder), self._rows(job, folder)
        total = job.settings.total(len(rows[0].rows))
        learners: list[TorchLearner] = []
        led: list[Led] = []

        def open_learner() -> TorchLearner | Led:
            learners.append(self._learner(job, folder, source, rows))
            if not isinstance(self.crew, Launched):
                return learners[0]
            led.append(Led(self.crew, learners[0], job))
            return led[0]

        try:
            yield from run(job, total, identity, open_learner)
        finally:
            for each in led:
                each.release()
            while learners:
                self.closed(learners.pop())
            give_back(self.device)

    def _merged(self, base: Path, adapter: Path | None, out: Path) -> None:
        self._kept.clear()
        merging.merge(base, adapter, out)

    def _blended(self, mix: Mix, note: Note, out: Path) -> None:
        blending.blend(mix, note, out)

    def generate(self, requests: Iterable[Request]) -> Iterator[Written]:
        """Checkpoint by checkpoint, or several in one batch where that is faster; each poem is given out when done."""
        yield from write_all(House(self.batch, self._wear, self._wear_again, self._check), requests)

    def _scored(self, base: Base, rows: Sequence[Row]) -> list[Score]:
        return scoring.score_rows(base, rows)

    def _wear(self, weights: Weights) -> Base:
        """The base with this adapter on and no other."""
        if self._base is not None and self._weights == weights:
            return self._base
        folder = bases.resolve(weights.base)
        adapter = Path(weights.adapter) if weights.adapter else None
        if adapter is not None:
            self._check(adapter, folder)
        whole = adapter is not None and checkpoints.is_whole(adapter)
        base = self._bare(adapter if adapter is not None and whole else folder)
        if adapter is not None and not whole:
            self._worn = adapters.Worn(base.model, adapter, base.folder)
            base.model, base.adapted_from = self._worn.model, self._worn.first
        self._weights = weights
        return base

    def _bare(self, folder: Path, full: bool = False) -> Base:
        """The base without an adapter, loaded if another is."""
        self._kept.clear()
        if self._worn is not None:
            self._worn.take_off()
            if self._worn.reload:
                self._base = None
        self._worn, self._weights = None, None
        if self._base is not None:
            self._base.adapted_from = 0
        if self._base is None or self._base.folder != folder.resolve():
            self._base = None
            self._base = loading.load(folder.resolve(), self.device, full)
        return self._base

    def _lend(self, folder: Path, settings: Training) -> Base:
        """A base for training alone: whoever writes meanwhile loads another."""
        self._kept.clear()
        precision = precision_of(settings, self.device)
        if settings.quantize == "no" and settings.method != "full" and precision.stored == pick_dtype(self.device):
            base = self._bare(folder)
            base.lower.clear()
            self._base = None
            return base
        self._base, self._worn, self._weights = None, None, None
        folder = folder.resolve()
        if settings.quantize == "no":
            return loading.load(folder, self.device, dtype=precision.stored)
        return loading.prepared(folder, load_quantized(folder, settings.quantize, precision), self.device)

    def _writes(self, base: Base, settings: Training) -> bool:
        """Whether a base that was trained on is, without its adapter, the one that writing would load."""
        whole = base.writes and settings.method != "full" and settings.quantize == "no"
        return whole and base.model.dtype == pick_dtype(self.device)

    def _kind(self, adapter: Path) -> None:
        if crossing.is_mlx(adapter) or (adapter / adapters.CONFIG).is_file() or checkpoints.is_whole(adapter):
            return
        raise EngineError(f"{adapter}: is neither a peft adapter nor a model; name a checkpoint folder")
