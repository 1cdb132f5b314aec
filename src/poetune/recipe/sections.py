"""The sections of poet.yaml, one class a stage, with their defaults; an unknown key is an error."""

from dataclasses import fields
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from poetune.recipe.crossing import crossed
from poetune.recipe.gates import Gates
from poetune.recipe.section import Section
from poetune.recipe.serving import Serving
from poetune.recipe.training import Finetune
from poetune.records import Sampling


class Corpus(Section):
    """How files become poems."""

    files: list[str] = Field([])
    map: dict[str, str] = Field({}, description="column names: {content: text} reads `content` as the text")
    where: dict[str, str] = Field({}, description="keep rows whose column has this value (case and spaces forgiven)")
    limit: int = Field(0, ge=0, description="at most so many poems, 0 = all")
    separator: str = Field("", description="a line that parts the poems of one file, e.g. `---` or `***`")
    join_lines_by: str = Field("", description="column that says which rows are lines of one poem")
    mend_line_breaks: bool = Field(False, description="break lines where words were fused at capitals")
    encoding: str = Field("", description="name of the encoding; empty = recognised file by file and row by row")


class Dataset(Section):
    """How poems become examples."""

    shares: tuple[float, float, float] = Field((80.0, 10.0, 10.0), description="train, validation, test in per cent")
    system: str = Field(
        "", description="the system text of each prompt, in which {author}, {form} or a tag's name is filled in"
    )
    templates: list[str] = Field(["plain.v1"], min_length=1, description="templates the examples are written in")
    themes: str = Field("", description="CSV of poem id and theme, as `poetune dataset themes` writes it")

    @field_validator("shares", mode="before")
    @classmethod
    def _test_may_be_left_out(cls, given: object) -> object:
        return [*given, 0] if isinstance(given, list | tuple) and len(given) == 2 else given

    @model_validator(mode="after")
    def _add_up(self) -> "Dataset":
        if min(self.shares) < 0 or self.shares[0] <= 0 or abs(sum(self.shares) - 100) > 1e-6:
            raise ValueError("shares must be two or three figures that add up to 100, e.g. [80, 20] or [80, 10, 10]")
        return self


class Generate(Section):
    """The grid: models x templates x themes x seeds, and how tokens are drawn."""

    themes: list[str] = Field(
        [], description="themes, or files of themes; empty = the bundled list, or none where there are openings"
    )
    openings: list[str] = Field([], description="first lines that the model goes on from, beside the themes")
    slots: dict[str, list[str]] | list[dict[str, str]] = Field(
        {}, description="values of the slots in dataset.system: `author: [a, b]` crosses, a list is tried one by one"
    )
    templates: list[str] = Field(["plain.v1", "airy.v1", "pause.v1", "deep.v1", "bare.v1"], min_length=1)
    per_cell: int = Field(1, ge=1, description="poems per cell")
    from_step: int = Field(0, ge=0, description="checkpoints from this step on")
    checkpoints: int = Field(0, ge=0, description="the latest N checkpoints of the run, 0 = all")
    batch: int = Field(32, ge=1)
    temperature: float = Field(0.8, ge=0)
    top_p: float = Field(0.95, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    repetition_penalty: float = Field(1.1, gt=0)
    no_repeat_ngram: int = Field(0, ge=0)
    beams: int = Field(1, ge=1)
    max_tokens: int = Field(200, ge=1)
    max_lines: int = Field(0, ge=0, description="stop after so many lines, 0 = no limit")
    min_p: float = Field(0.0, ge=0, le=1, description="drop tokens less probable than this share of the likeliest")
    stop: list[str] = Field([], description="texts before which a poem ends")
    sweep: dict[str, list[Any]] | list[dict[str, Any]] = Field(
        {}, description="`beams: [1, 5]` writes every cell in both ways, a list of settings is tried one by one"
    )

    endpoints: list[str] = Field(
        [], description="servers that write as well: `URL`, or `URL#name` of a model or an adapter there"
    )
    gates: Gates = Gates()
    serving: Serving = Serving()

    @field_validator("endpoints")
    @classmethod
    def _addresses(cls, given: list[str]) -> list[str]:
        for text in given:
            if not text.strip().startswith(("http://", "https://")):
                raise ValueError(f"{text!r} is no server; write its address, such as http://localhost:8000/v1#my-model")
        return given

    @model_validator(mode="after")
    def _swept(self) -> "Generate":
        names = [field.name for field in fields(Sampling)]
        for setting in crossed(self.sweep):
            for name in setting:
                if name not in names:
                    raise ValueError(f"sweep: `{name}` is no way of drawing; there are {', '.join(names)}")
        if self.sweep:
            self.samplings()
        return self

    def sampling(self) -> Sampling:
        """The record that goes into a cell's id."""
        return Sampling(
            self.temperature,
            self.top_p,
            self.top_k,
            self.repetition_penalty,
            self.no_repeat_ngram,
            self.beams,
            self.max_tokens,
            self.max_lines,
            self.min_p,
            tuple(self.stop),
        )

    def samplings(self) -> list[Sampling]:
        """One for each setting of `sweep`; the one of the section itself where there is none."""
        own = {field.name: getattr(self, field.name) for field in fields(Sampling)}
        return [Generate(**{**own, **setting}).sampling() for setting in crossed(self.sweep)]


class Price(Section):
    """What a model's tokens cost, in whatever money you count in, for a million of them."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class Simulated(Section):
    """How the simulated judge errs. Its poems have a hidden quality, of standard deviation 1."""

    accuracy: float = Field(0.8, gt=0.5, le=1, description="share of pairs of poems that it orders rightly")
    persistent: float = Field(0.0, ge=0, le=1, description="share of its error that stays with a poem")
    slot_bias: float = Field(0.0, description="standard deviation over the slots of a liking for early ones")
    length_bias: float = Field(0.0, description="liking for a poem one standard deviation longer")
    garbage: float = Field(0.0, ge=0, le=1, description="share of answers that cannot be read")


class Judging(Section):
    """Who ranks, and how."""

    judge: str = Field(
        "offline",
        description="`offline`, `simulated`, `project` (a model of this project), or the URL of an endpoint",
    )
    model: str = Field("", description="the model's name at the endpoint; with `project`, a model's id or name")
    key_variable: str = Field("OPENAI_API_KEY", description="environment variable that holds the key")
    rubric: str = "modern-free-verse.v1"
    learn_from_reviews: bool = Field(False, description="show the judge poems you accepted and rejected")
    style: Literal["funnel", "per-title"] = Field("funnel", description="`per-title` = the tournament of each title")
    batch: int = Field(10, ge=2, le=26, description="poems to a call")
    looks: float = Field(2.4, ge=1, description="how often a poem is shown on average; calls = poems x looks / batch")
    finals: int = Field(5, ge=1, description="how many winners")
    pairs: int = Field(0, ge=0, description="so many of the best are compared in pairs in both orders, 0 = none")
    timeout: float = Field(60.0, gt=0, description="seconds per call")
    max_tokens: int = Field(4000, ge=50, description="tokens of one answer, thoughts among them")
    most_invalid: float = Field(0.05, ge=0, le=1, description="share of unreadable blocks above which judging fails")
    most_calls: int = Field(0, ge=0, description="hard cap on calls, 0 = none")
    most_tokens: int = Field(0, ge=0, description="hard cap on tokens read and written, 0 = none")
    most_money: float = Field(0.0, ge=0, description="hard cap on money, 0 = none; needs a price")
    prices: dict[str, Price] = Field({}, description="by model: {gpt-x: {input: 2.5, output: 10}} for a million tokens")
    concurrency: int = Field(4, ge=1, le=64, description="calls at once")
    requests_per_minute: int = Field(0, ge=0, description="0 = no limit")
    tokens_per_minute: int = Field(0, ge=0, description="0 = no limit")
    retries: int = Field(5, ge=0, description="further tries of a call that failed")
    simulated: Simulated = Simulated()


class Reviewing(Section):
    """The page on which a person reads."""

    reviewer: str = ""
    port: int = Field(8765, ge=0, le=65535, description="0 = any free port")
    queue: int = Field(0, ge=0, description="poems to show: the judge's best, 15 % drawn past it, 5 % again; 0 = all")
    reasons: list[str] = Field(
        ["stock phrases", "makes no sense", "broken form", "not this voice", "repeats itself"],
        max_length=5,
        description="what keys 1 to 5 note of a poem, whether it is kept or not",
    )
    rubric: str = Field("", description="rubric on whose criteria the reader gives 1 to 5; empty = none")


class Rounds(Section):
    """What goes back."""

    most_own: float = Field(0.4, ge=0, lt=1, description="largest share of own poems among the tokens learned")
    weight: float = Field(1.0, gt=0, le=1, description="share of the own poems' rows that is trained on")
    least_diversity: float = Field(0.9, ge=0, le=1, description="least part of the first round's diversity")
    least_beside_corpus: float = Field(0.75, ge=0, le=1, description="least part of the corpus's diversity")
    loss_rise: float = Field(0.02, ge=0, description="largest rise of the held-out loss, as a share")
    copying_rise: float = Field(0.02, ge=0, description="largest rise of copied shares, 0.02 = two points")


class Scoring(Section):
    """What is measured for the report."""

    prompts: int = Field(12, ge=1, description="themes that models, checkpoints and ways of drawing are compared on")
    per_prompt: int = Field(1, ge=1, description="poems a theme for `score lengths` and `score decoding`")
    lengths: list[int] = Field([30, 40, 60, 100, 150], min_length=1, description="tokens tried by `score lengths`")
    embedder: str = Field(
        "", description="folder of a local embedding model, for themes by their sense; empty = by words"
    )
    copied_words: int = Field(4, ge=1, description="a line counts as copied from so many words on")
    copied_characters: int = Field(5, ge=1, description="the same for Chinese lines")


class Shipping(Section):
    """What the cards and the chapbook say."""

    author: str = ""
    licence: str = ""
    rights: str = Field("", description="a sentence on the rights in the poems that were trained on")
    contact: str = Field("", description="where questions go: a name, an address, a page")
    model: str = Field("", description="id of the model that ships; empty = the best checkpoint")


class Recipe(Section):
    """The whole of poet.yaml."""

    name: str = "my-poet"
    language: Literal["auto", "en", "zh"] = "auto"
    base: str = Field("starter", description="`starter`, a local folder or a hub id")
    engine: Literal["auto", "torch", "mlx", "echo"] = "auto"
    seed: int = Field(0, ge=0)
    corpus: Corpus = Corpus()
    dataset: Dataset = Dataset()
    finetune: Finetune = Finetune()
    generate: Generate = Generate()
    judge: Judging = Judging()
    review: Reviewing = Reviewing()
    rounds: Rounds = Rounds()
    score: Scoring = Scoring()
    ship: Shipping = Shipping()
