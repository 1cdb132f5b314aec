"""The section `finetune`: the settings of one training, stages that follow one another, and sweeps."""

import math
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from poetune.recipe.section import Section

PREFERENCE = "preference"  # the name of the stage that learns from reviews


class Training(Section):
    """How examples become checkpoints. `steps` are optimizer steps, rates are the optimizer's."""

    method: Literal["lora", "dora", "rslora", "full"] = "lora"
    rank: int = Field(8, ge=1)
    alpha: float = Field(16.0, gt=0)
    scale: float | None = Field(None, gt=0, description="mlx-lm's scale = alpha/rank; overrides alpha")
    dropout: float = Field(0.05, ge=0, lt=1)
    bias: Literal["none", "lora_only", "all"] = Field("none", description="biases that train beside the adapter")
    layers: int | list[int] = Field(0, description="adapt the last N layers, 0 = all; a list names them, from 0")
    modules: list[str] = Field(
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        min_length=1,
        description="target modules by the end of their names, or [all-linear]",
    )
    steps: int = Field(200, ge=1)
    epochs: float = Field(0.0, ge=0, description="if set, steps follow from it")
    batch: int = Field(8, ge=1)
    accumulation: int = Field(1, ge=1)
    rate: float = Field(5e-4, gt=0)
    rate_initial: float = Field(1e-7, ge=0)
    rate_final: float = Field(1e-6, ge=0)
    warmup: int = Field(20, ge=0, description="steps from rate_initial to rate")
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    optimizer: Literal["adamw", "adamw_8bit", "adam", "nadam", "radam", "adafactor", "sgd"] = "adamw"
    weight_decay: float = Field(0.01, ge=0)
    clip: float = Field(1.0, ge=0, description="largest gradient norm, 0 = no limit")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="auto: bf16 where a GPU computes in it, else fp32"
    )
    quantize: Literal["no", "8bit", "4bit"] = Field("no", description="the frozen base in 8 or 4 bit (nf4, twice)")
    report_every: int = Field(10, ge=1)
    validate_every: int = Field(50, ge=1)
    validate_batches: int = Field(0, ge=0, description="validation batches, 0 = all")
    checkpoint_every: int = Field(50, ge=1)
    keep: int = Field(0, ge=0, description="checkpoints that stay on disk (latest and best), 0 = all")
    patience: int = Field(0, ge=0, description="validations without a new best after which training stops, 0 = never")
    sample_every: int = Field(0, ge=0, description="steps between sample poems while training, 0 = none")
    sample_prompts: list[str] = Field([], description="their themes; empty = the first three of generate.themes")
    longest: int = Field(512, ge=16, description="longest row in tokens")
    too_long: Literal["cut", "split"] = Field("cut", description="a longer poem is cut, or split, at a line break")
    cache: Literal["auto", "off"] = Field("auto", description="keep on disk what frozen lower layers give")

    @property
    def scaling(self) -> float:
        """alpha/rank, or `scale` where it is given; rsLoRA divides by the root of the rank instead."""
        if self.scale is not None:
            return self.scale
        return self.alpha / (math.sqrt(self.rank) if self.method == "rslora" else self.rank)

    def total(self, rows: int) -> int:
        """Optimizer steps for so many training rows: `steps`, or what `epochs` passes over all rows come to."""
        if not self.epochs:
            return self.steps
        return max(1, math.ceil(self.epochs * math.ceil(rows / (self.batch * self.accumulation))))


class Preferring(Training):
    """A preference training with all its settings; `beta` holds it to the model that it began from."""

    loss: Literal["dpo", "kto"] = "dpo"
    beta: float = Field(0.1, gt=0)


class Preference(Section):
    """The stage `preference`, which learns from reviews; what is not here, it takes from `finetune`."""

    loss: Literal["auto", "dpo", "kto"] = Field("auto", description="auto: dpo from fewest_pairs pairs on, else kto")
    fewest: int = Field(200, ge=2, description="decisions below which nothing is trained")
    fewest_pairs: int = Field(100, ge=1, description="pairs of a better and a worse poem of one prompt")
    beta: float = Field(0.1, gt=0, description="how strongly it is held to the model that it began from")
    held_out: float = Field(0.1, ge=0, lt=1, description="share of prompts whose decisions only measure")
    method: Literal["lora", "dora", "rslora"] = "lora"
    epochs: float = Field(2.0, gt=0)
    batch: int = Field(8, ge=2, description="rows a step")
    rate: float = Field(5e-5, gt=0)
    warmup: int = Field(5, ge=0)

    def settings(self, own: Training, loss: Literal["dpo", "kto"]) -> Preferring:
        """All settings of the stage: its own, then those of `finetune`."""
        given = {name: getattr(own, name) for name in Training.model_fields}
        mine = {name: getattr(self, name) for name in ("method", "epochs", "batch", "rate", "warmup", "beta")}
        precision = "auto" if own.precision == "fp16" else own.precision
        rest = {"loss": loss, "accumulation": 1, "sample_every": 0, "cache": "off", "bias": "none"}
        rest |= {"quantize": "no", "precision": precision}
        return Preferring(**{**given, **mine, **rest})


class Stage(Training):
    """One stage of a chain: what it does not set itself, it takes from `finetune`.

    `dapt` reads plain verse, `sft` prompts and completions. The next stage starts from this one's best checkpoint,
    merged into its base in full precision.
    """

    name: str = Field(
        "sft",
        pattern=r"^[\p{Ll}\p{Lo}\p{Nd}][\p{Ll}\p{Lo}\p{Nd}_-]*$",
        description="the stage's name in tables and lineage",
    )
    kind: Literal["dapt", "sft", "preference"] = "sft"
    data: list[str] = Field([], description="poems from these files only (names or patterns); empty = all")
    authors: list[str] = Field([], description="poems by these authors only; empty = all")
    shares: tuple[float, float, float] | None = Field(None, description="train, validation, test in per cent")
    templates: list[str] = Field([], description="templates of this stage; empty = those of dataset")

    @field_validator("shares", mode="before")
    @classmethod
    def _test_may_be_left_out(cls, given: object) -> object:
        return [*given, 0] if isinstance(given, list | tuple) and len(given) == 2 else given

    @field_validator("shares")
    @classmethod
    def _add_up(cls, given: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if given and (min(given) < 0 or given[0] <= 0 or abs(sum(given) - 100) > 1e-6):
            raise ValueError("shares must be two or three figures that add up to 100, e.g. [80, 20] or [80, 5, 15]")
        return given


class Finetune(Training):
    """The settings of every stage, the stages where there are several, and a sweep over settings."""

    stages: list[Stage] = Field([], description="stages that follow one another; empty = one sft stage")
    sweep: dict[str, list[Any]] | list[dict[str, Any]] = Field(
        {}, description="`rank: [4, 8]` crosses all values, a list of settings is tried one by one"
    )
    preference: Preference = Field(Preference(), description="the stage `preference`; its keys are below")
    track: list[Literal["tensorboard", "trackio", "wandb"]] = Field([], description="trackers that hear the losses")

    @model_validator(mode="after")
    def _names_once(self) -> "Finetune":
        names = [stage.name for stage in self.stages]
        if PREFERENCE in names or any(stage.kind == PREFERENCE for stage in self.stages):
            raise ValueError("the stage `preference` needs no entry under stages; its settings are finetune.preference")
        if len(set(names)) < len(names):
            raise ValueError("two stages have the same name; give each its own")
        if "base" in names:
            raise ValueError("no stage may be called base, which `generate --stage base` means; give it another name")
        return self

    def chain(self) -> list[Stage]:
        """The stages with all their settings, in order; one `sft` where none is written down."""
        own = {name: getattr(self, name) for name in Training.model_fields if name in self.model_fields_set}
        return [
            Stage(**{**own, **{name: getattr(stage, name) for name in stage.model_fields_set}})
            for stage in self.stages or [Stage()]
        ]
