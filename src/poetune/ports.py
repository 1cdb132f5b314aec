"""The doors: what the studio asks of an engine or a judge. Every engine that trains passes `tests/contract`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from poetune.recipe import Training
from poetune.records import Conversation, Example, Sampling, Stop


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do, so that it refuses by name before any weights are loaded."""

    name: str
    trains: frozenset[str] = frozenset()  # methods: "lora", "full", ...
    generates: bool = False
    scores: bool = False
    beams: bool = False
    merges: bool = False
    blends: frozenset[str] = frozenset()  # ways: "linear", "cat", "svd", ...
    prefers: bool = False  # trains on preference rows, where a job's settings are `Preferring`


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a model's weights lie: a base (folder or hub id) and an absolute adapter folder or file, or "".

    Behind a server: its URL, and the name that a model or an adapter has there.
    """

    base: str
    adapter: str = ""


BLENDS = ("cat", "linear", "svd", "ties", "ties_svd", "dare_linear", "dare_ties", "dare_linear_svd", "dare_ties_svd")
SAME_RANK = frozenset({"linear", "ties", "dare_linear", "dare_ties"})


@dataclass(frozen=True, slots=True)
class Mix:
    """Adapters of one base with the share of each, which need not add up to 1, and how they are put together.

    `method` is one of BLENDS; `rank` is that of an svd (0 = the largest there is), `density` the share of values that
    TIES and DARE keep, `seed` draws which ones DARE drops.
    """

    parts: tuple[Weights, ...]
    shares: tuple[float, ...]
    method: str = "cat"
    rank: int = 0
    density: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Needs:
    """What a training job will take. Memory in bytes, time in seconds; `notes` say what was assumed."""

    parameters: int
    trained: int
    memory: int
    seconds: float
    has_memory: int
    device: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainJob:
    """One training: examples with their splits, settings, and a folder that outlives the process (resume reads it).

    `cache` is a folder that trainings on the same base share; `samples` are poems asked for while it trains (their
    weights are those of the moment).
    """

    weights: Weights
    examples: Sequence[Example]
    settings: Training
    seed: int
    folder: Path
    cache: Path | None = None
    samples: "Sequence[Request]" = ()


@dataclass(frozen=True, slots=True)
class TrainEvent:
    """What training says as it goes. `loss` values are nats per supervised token.

    `start` (step = the step resumed from, total), `train` (mean loss since the last report, learning rate, largest
    gradient norm before clipping, tokens/s), `validation` (loss), `checkpoint` (folder, latest training loss, the
    validation loss of this very step or None), `removed` (folder, over the keep limit), `sample` (a poem's text and the
    id of its request), `stopped` (early, with the best validation loss and the reason in text), `note`.
    """

    kind: Literal["start", "train", "validation", "checkpoint", "removed", "sample", "stopped", "note"]
    step: int
    total: int = 0
    loss: float | None = None
    validation_loss: float | None = None
    rate: float = 0.0
    gradient_norm: float = 0.0
    tokens_per_second: float = 0.0
    folder: Path | None = None
    text: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One poem to write.

    `heard` is called as the poem grows, with all of its text that later tokens leave as it is; beams are heard of at
    their end only, in what is Written.
    """

    id: str
    weights: Weights
    conversation: Conversation
    sampling: Sampling
    seed: int
    heard: Callable[[str], None] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """One poem written: `text` without the conversation's prefix, special tokens or surrounding blank lines."""

    id: str
    text: str
    stop: Stop
    tokens: int


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A completion whose log-likelihood is asked; with `plain`, the text stands alone as one document."""

    weights: Weights
    completion: str
    conversation: Conversation = field(default_factory=Conversation)
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """Sum of log-probabilities (nats) of the completion's tokens with EOS, and how many there were."""

    log_likelihood: float
    tokens: int


@runtime_checkable
class Trainer(Protocol):
    """Trains a job and merges adapters."""

    capabilities: Capabilities

    def needs(self, job: TrainJob) -> Needs:
        """What the job will take, without loading the weights."""
        ...

    def train(self, job: TrainJob) -> Iterator[TrainEvent]:
        """Train, resuming from `job.folder` if an earlier process left something there."""
        ...

    def merge(self, weights: Weights, out: Path) -> None:
        """Write base + adapter as one model (safetensors and tokenizer) into `out`."""
        ...

    def blend(self, mix: Mix, out: Path) -> None:
        """Write the adapters' weighted combination as one adapter of the same base into `out`."""
        ...


@runtime_checkable
class Generator(Protocol):
    """Writes poems and scores texts."""

    capabilities: Capabilities

    def render(self, weights: Weights, conversation: Conversation) -> list[int]:
        """The token ids that the model reads before it writes."""
        ...

    def room(self, weights: Weights, conversation: Conversation) -> int | None:
        """Tokens that the context leaves after this prompt, None where that isn't known; no weights are loaded."""
        ...

    def generate(self, requests: Iterable[Request]) -> Iterator[Written]:
        """Write each request's poem, in any order, as each is done; a poem depends on its own seed only."""
        ...

    def score(self, requests: Sequence[ScoreRequest]) -> list[Score]:
        """Log-likelihoods, in the order asked."""
        ...


@dataclass(frozen=True, slots=True)
class Block:
    """Poems for one judge call, in the order shown, with their titles; ids are the candidates'."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ballot:
    """A judge's answer: ids best first, or empty with `invalid` and what was said instead."""

    ranking: tuple[str, ...]
    status: Literal["ok", "invalid"]
    raw: str = ""
    reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


@runtime_checkable
class Judge(Protocol):
    """Ranks one block of poems under a rubric."""

    name: str

    def rank(self, block: Block, rubric: str) -> Ballot:
        """A complete ranking of the block, or an invalid ballot; never a guess."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer's text, "" where there was none, and what it took; tokens are 0 where they aren't told."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


@runtime_checkable
class Chat(Protocol):
    """A model that answers one message; a judge that reads is a rubric over it."""

    name: str

    def ask(self, system: str, user: str, schema: Mapping[str, Any] | None = None) -> Reply:
        """The answer; `schema` (JSON Schema) shapes it where the server can.

        Raises JudgeError where the server cannot be used, AnswerRefused where it refused this request alone, AnswerLost
        where an answer that may have been paid for did not arrive.
        """
        ...
