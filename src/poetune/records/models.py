"""What writes and what it wrote: trainings, models, ways of drawing, candidates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from poetune.records.digests import digest

Stop = Literal["eos", "length", "lines", "sequence", "error"]


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
