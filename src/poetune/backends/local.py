"""What the engines that hold weights on this machine share: whose an adapter is, what is asked of which weights."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from poetune.backends import bases, checkpoints
from poetune.backends.loop import Identity
from poetune.backends.rendering import Renderer
from poetune.backends.rows import Row, Rows, build_rows, score_row
from poetune.errors import EngineError
from poetune.ports import Capabilities, Mix, Request, Score, ScoreRequest, TrainJob, Weights
from poetune.records import Conversation, digest

_R = TypeVar("_R", Request, ScoreRequest)


class LocalEngine(ABC):
    """An engine that loads a base and puts adapters on it; for one thread at a time."""

    capabilities: Capabilities

    def __init__(self) -> None:
        bases.quiet()
        self._known: dict[tuple[Path, tuple[int, ...]], tuple[Renderer, str]] = {}

    @abstractmethod
    def _wear(self, weights: Weights) -> Any:
        """The base with this adapter on and no other."""

    @abstractmethod
    def _scored(self, base: Any, rows: Sequence[Row]) -> list[Score]:
        """A score for each row, in the order given."""

    @abstractmethod
    def _kind(self, adapter: Path) -> None:
        """Raises EngineError for what this engine cannot wear."""

    @abstractmethod
    def _merged(self, base: Path, adapter: Path | None, out: Path) -> None:
        """Write both as one model."""

    def merge(self, weights: Weights, out: Path) -> None:
        """Write base + adapter as one model into `out`, in full precision, with the tokenizer."""
        folder = bases.resolve(weights.base)
        adapter = Path(weights.adapter) if weights.adapter else None
        if adapter is not None:
            self._check(adapter, folder)
        self._merged(folder, adapter, out)

    def blend(self, mix: Mix, out: Path) -> None:
        """Write the adapters' weighted combination into `out`; the base is looked at, not loaded."""
        if not self.capabilities.blends:
            raise self._no_blend()
        folder = bases.resolve(mix.parts[0].base)
        for part in mix.parts:
            self._check(Path(part.adapter), folder)
        renderer, print_ = self._identity(folder)
        name = self.capabilities.name
        self._blended(mix, checkpoints.Note(name, "lora", 0, 0, "", print_, renderer.template_hash), out)

    def _blended(self, mix: Mix, note: checkpoints.Note, out: Path) -> None:  # noqa: ARG002  what blending takes
        """Write the blend with its note; an engine whose `blends` is empty refuses."""
        raise self._no_blend()

    def _no_blend(self) -> EngineError:
        return EngineError(f"{self.capabilities.name} cannot blend adapters; run it with --set engine=torch")

    def render(self, weights: Weights, conversation: Conversation) -> list[int]:
        """The ids that the model reads before it writes; only the tokenizer is loaded."""
        return self._identity(bases.resolve(weights.base, weights=False))[0].prompt(conversation)

    def room(self, weights: Weights, conversation: Conversation) -> int | None:
        """What the base's context leaves after the prompt, by its config and tokenizer."""
        context = bases.context(bases.resolve(weights.base, weights=False))
        return None if context is None else context - len(self.render(weights, conversation))

    def spelled(self, weights: Weights, conversation: Conversation) -> str:
        """What `render` gives ids for, as text, without the BOS that the tokenizer puts first."""
        return self._identity(bases.resolve(weights.base, weights=False))[0].spelled(conversation)

    def endings(self, weights: Weights) -> list[str]:
        """The texts of the tokens that end a poem."""
        return self._identity(bases.resolve(weights.base, weights=False))[0].endings

    def score(self, requests: Sequence[ScoreRequest]) -> list[Score]:
        """Log-likelihoods, in the order asked."""
        out: dict[int, Score] = {}
        groups: dict[Weights, list[int]] = {}
        for i, request in enumerate(requests):
            groups.setdefault(request.weights, []).append(i)
        for weights, places in groups.items():
            base = self._wear(weights)
            rows = [score_row(base.renderer, requests[i], base.context) for i in places]
            out.update(zip(places, self._scored(base, rows), strict=True))
        return [out[i] for i in range(len(requests))]

    def _wear_again(self, weights: Weights, base: Any) -> None:
        """The caller may have used the engine between two poems."""
        if self._wear(weights) is not base:
            name = self.capabilities.name
            raise EngineError(f"{name}: another base was loaded between two poems; use a second engine for it")

    def _rows(self, job: TrainJob, folder: Path) -> tuple[Rows, Rows]:
        """Of the training and the validation examples."""
        renderer, settings = self._identity(folder)[0], job.settings
        longest = bases.longest_row(folder, settings.longest)
        train, held = (
            build_rows(renderer, [e for e in job.examples if e.split == split], longest, settings.too_long)
            for split in ("train", "validation")
        )
        return train, held

    def _run(self, job: TrainJob, folder: Path) -> Identity:
        """What must agree for a job's folder to be resumed."""
        renderer, print_ = self._identity(folder)
        name = self.capabilities.name
        asked = [e.id for e in job.examples], job.settings.model_dump(), job.seed, job.weights.adapter
        return Identity(name, digest(name, print_, renderer.template_hash, *asked), print_, renderer.template_hash)

    def _identity(self, folder: Path) -> tuple[Renderer, str]:
        """Renderer and fingerprint of a base, read once as long as its files stay as they are."""
        key = folder, tuple(path.stat().st_mtime_ns for path in sorted(folder.iterdir()))
        if key not in self._known:
            self._known[key] = bases.open_renderer(folder), bases.fingerprint(folder)
        return self._known[key]

    def _can(self, job: TrainJob) -> None:
        """Refuse by name what the method asks, before a file of weights is opened."""
        method, name = job.settings.method, self.capabilities.name
        if method not in self.capabilities.trains:
            can = ", ".join(sorted(self.capabilities.trains))
            raise EngineError(f"{name} cannot train with method {method!r}; set finetune.method to one of {can}")
        if method == "full" and job.settings.quantize != "no":
            raise EngineError(
                "finetune.quantize: a quantized base cannot be trained in full; set it to no, or train lora"
            )

    def _start(self, job: TrainJob, folder: Path) -> Path:
        """The folder of the weights to start from. Refused is a whole model for an adapter's method, or the reverse."""
        full, parent = job.settings.method == "full", Path(job.weights.adapter or ".")
        if not job.weights.adapter:
            return folder
        self._check(parent, folder)
        if checkpoints.is_whole(parent) != full:
            raise EngineError(
                f"{parent}: is no {job.settings.method} checkpoint, so it cannot be trained on; merge it first"
            )
        return parent if full else folder

    def _check(self, adapter: Path, base: Path) -> None:
        """Refuse an adapter that is missing, or was trained on another base or template."""
        if not adapter.exists():
            raise EngineError(f"{adapter}: there is no such checkpoint; list the models with `poetune status`")
        self._kind(adapter)
        note = checkpoints.read_note(adapter)
        if note is None:
            return
        renderer, print_ = self._identity(base)
        if note.base != print_:
            raise EngineError(f"{adapter}: was trained on another base than {base}; name the base it came from")
        if note.template != renderer.template_hash:
            raise EngineError(f"{adapter}: was trained with another chat template; restore the one of its folder")


def by_weights(requests: Iterable[_R]) -> dict[Weights, list[_R]]:
    """Requests that ask the same weights, together."""
    groups: dict[Weights, list[_R]] = {}
    for request in requests:
        groups.setdefault(request.weights, []).append(request)
    return groups
