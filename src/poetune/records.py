"""The nouns: frozen records that stages take and give back, with ids that are hashes of what they were made from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, Literal

Split = Literal["train", "validation", "test"]
Stop = Literal["eos", "length", "lines", "sequence", "error"]
Action = Literal["accept", "reject", "skip", "undo"]
Choice = Literal["left", "right", "tie", "skip", "undo"]
Drawn = Literal["", "best", "explore", "repeat"]


def digest(*parts: object) -> str:
    """16 hex characters of SHA-256 over the canonical JSON of `parts` (dataclasses as objects, keys sorted)."""

    def plain(value: object) -> object:
        if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        raise TypeError(f"cannot hash {type(value).__name__}")

    text = json.dumps(parts, default=plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Poem:
    """One poem of the corpus, or an accepted candidate that came back (`origin` "round:N", `parent` its candidate)."""

    text: str
    title: str = ""
    author: str = ""
    language: str = ""
    form: str = ""
    theme: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    licence: str = ""
    origin: str = "corpus"
    parent: str = ""

    @property
    def id(self) -> str:
        """Hash of the text, its own question and the candidate it came from: the same poem read twice is one row."""
        asked = self.tags.get("prompt", "")
        return digest("poem", self.text, self.parent, *([asked] if asked else []))


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked of a model: a theme in a template, or an opening to go on from."""

    theme: str
    template: str = "plain.v1"
    system: str = ""
    opening: str = ""
    held_out: bool = False

    @property
    def id(self) -> str:
        """Hash of what the model reads."""
        return digest("prompt", self.theme, self.template, self.system, self.opening)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What an engine renders to token ids: turns, then the opening of the assistant's answer.

    `lead` is the template's own white space before the poem, `prefix` is text of the poem that is already written;
    `trim` drops the white space with which the chat template opens the answer; `raw` replaces everything by a literal
    prompt, in which special tokens are read as such.
    """

    messages: tuple[Message, ...] = ()
    lead: str = ""
    prefix: str = ""
    trim: bool = False
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One training row: a conversation and the completion that is learned, or plain verse where `plain` is set.

    A preference row has a `rejected` poem beside its completion, or says whether its completion was `liked`.
    """

    conversation: Conversation
    completion: str
    split: Split
    poem: str = ""
    prompt: str = ""
    plain: bool = False
    rejected: str = ""
    liked: Literal["", "yes", "no"] = ""

    @property
    def id(self) -> str:
        """Hash of the whole row."""
        preferred = [self.rejected, self.liked] if self.rejected or self.liked else []
        return digest("example", self.conversation, self.completion, self.split, self.plain, *preferred)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A frozen list of examples, in order, with the settings that made it."""

    examples: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    round: int = 1

    @property
    def id(self) -> str:
        """Hash of the rows and settings."""
        return digest("dataset", self.examples, self.settings)


@dataclass(frozen=True, slots=True)
class Run:
    """One training: what was trained on what, with the resolved recipe."""

    stage: str
    engine: str
    seed: int
    recipe: Mapping[str, Any]
    dataset: str
    parent: str
    round: int = 1

    @property
    def id(self) -> str:
        """Hash of all inputs: the same run twice is one row."""
        return digest("run", self.stage, self.engine, self.seed, self.recipe, self.dataset, self.parent)


@dataclass(frozen=True, slots=True)
class Model:
    """What can write: a base, a checkpoint (adapter at a step), a merged model, a blend of adapters, an endpoint; a
    `foreign` one wrote elsewhere.

    `base` is a folder, hub id or URL; `adapter` a folder below the project, or an absolute one if it is foreign.
    Losses are nats per supervised token. `mix` holds a blend's shares by the ids of its parts, `parent` the first.
    """

    kind: Literal["base", "checkpoint", "merged", "blend", "endpoint", "foreign"]
    engine: str
    base: str
    adapter: str = ""
    name: str = ""
    run: str = ""
    parent: str = ""
    step: int = 0
    round: int = 1
    train_loss: float | None = None
    validation_loss: float | None = None
    mix: Mapping[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Hash of where the weights came from."""
        return digest("model", self.kind, self.engine, self.base, self.adapter, self.run, self.step, self.name)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. Temperature 0 is greedy; `top_k` and `min_p` 0, `top_p` and `repetition_penalty` 1 are off.

    A poem ends before any text of `stop`.
    """

    temperature: float = 0.8
    top_p: float = 0.95
    top_k: int = 0
    repetition_penalty: float = 1.1
    no_repeat_ngram: int = 0
    beams: int = 1
    max_tokens: int = 200
    max_lines: int = 0
    min_p: float = 0.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A poem that a model wrote for one cell of the grid. `text` holds the prompt's opening where there was one.

    `gate` names what keeps it from judges and readers, `reason` says why; both are "" for one that is shown.
    """

    id: str
    model: str
    prompt: str
    sampling: Sampling
    seed: int
    text: str
    title: str
    stop: Stop
    tokens: int
    round: int = 1
    gate: str = ""
    reason: str = ""

    @staticmethod
    def cell(model: str, prompt: str, sampling: Sampling, seed: int) -> str:
        """The id of a cell, known before anything is written into it."""
        return digest("cell", model, prompt, sampling, seed)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judge call. `shown` is the order in which poems were shown, `ranking` best first; empty when `invalid`."""

    id: str
    contest: str
    judge: str
    rubric: str
    shown: tuple[str, ...]
    ranking: tuple[str, ...]
    status: Literal["ok", "invalid"]
    raw: str = ""
    reason: str = ""
    stage: str = ""
    round: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """One request that may cost: kept before it is sent, at the most it can take, and settled by what it took.

    `lost` ones were sent and not answered, so they count at their most; `failed` ones were not taken and cost nothing.
    """

    id: str
    contest: str
    model: str
    state: Literal["reserved", "answered", "lost", "failed"]
    prompt_tokens: int
    completion_tokens: int
    money: float = 0.0


@dataclass(frozen=True, slots=True)
class Review:
    """One act of a reader. Rows are only ever added; `undo` cancels the act whose `token` is in `cancels`.

    `drawn` says why the poem was shown; a `repeat` tells how steady the reader is and never replaces the decision.
    `scores` are 1 to 5 on the criteria of `rubric`.
    """

    token: str
    candidate: str
    action: Action
    reviewer: str = ""
    title: str | None = None
    body: str | None = None
    note: str = ""
    cancels: str = ""
    at: str = ""
    reasons: tuple[str, ...] = ()
    rubric: str = ""
    scores: Mapping[str, int] = field(default_factory=dict)
    drawn: Drawn = ""

    @property
    def subject(self) -> str:
        """What the act is on: a candidate's first reading, or its silent repeat."""
        return self.candidate + ("~repeat" if self.drawn == "repeat" else "")


@dataclass(frozen=True, slots=True)
class Vote:
    """One blind choice between two candidates of the same prompt; rows are only ever added.

    `left` and `right` are as they were shown, so that a liking for one side can be measured; `undo` cancels the vote
    whose `token` is in `cancels`.
    """

    token: str
    left: str
    right: str
    action: Choice
    reviewer: str = ""
    note: str = ""
    cancels: str = ""
    at: str = ""

    @property
    def subject(self) -> str:
        """The pair, whichever side its poems stood on."""
        return "+".join(sorted((self.left, self.right)))


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of the loop: how many poems it started from and what came back from its review.

    `accepted` are the ids of the poems it gave back, `weights` the share of their rows that the next data set trains
    on, `guards` its figures, `overruled` the guards that failed and were accepted all the same.
    """

    number: int
    poems: int
    accepted: tuple[str, ...] = ()
    guards: Mapping[str, Any] = field(default_factory=dict)
    opened: str = ""
    closed: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    overruled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """What left the house: a folder, with the hash of its files."""

    kind: str
    path: str
    model: str
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Hash of kind, model and files."""
        return digest("bundle", self.kind, self.path, self.model, self.files)
