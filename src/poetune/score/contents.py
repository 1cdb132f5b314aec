"""What a report holds: every figure and poem as plain frozen data, before anything is typeset."""

from dataclasses import dataclass
from typing import Literal

from poetune.score.sheet import Sheet
from poetune.verse.drift import Stretch

Band = Literal["good", "typical", "poor", "unrated"]


@dataclass(frozen=True, slots=True)
class Printed:
    """A poem as printed: `note` is the small line below it (theme, checkpoint, rank)."""

    text: str
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """Losses in nats per supervised token at an optimizer step; None where not measured there."""

    step: int
    train: float | None = None
    validation: float | None = None


@dataclass(frozen=True, slots=True)
class LossRow:
    """How well one model predicts one split. `loss` in nats per token; end-of-text tokens are counted."""

    model: str
    split: str
    texts: int
    tokens: int
    bytes: int
    loss: float
    perplexity: float
    bits_per_byte: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The same prompt and seed, before and after. `value` is the rating that put the tuned poem into its band."""

    theme: str
    template: str
    seed: int
    base: Printed
    tuned: Printed
    band: Band
    value: float | None = None


@dataclass(frozen=True, slots=True)
class VoiceRow:
    """One figure of voice; `values` stand under the table's columns.

    Of a distance the smaller value is nearer to the poet, of a level the one nearer to the poet's own. The first value
    of a distance is what poems by the poet would come to, `band` the range of nine in ten draws of them.
    """

    figure: str
    meaning: str
    kind: Literal["distance", "level", "count"]
    values: tuple[float | None, ...]
    band: tuple[float, float] | None = None

    @property
    def excess(self) -> tuple[float | None, ...]:
        """Of a distance, what each column has above the poet's own; None for the poet and for other kinds."""
        floor = self.values[0] if self.kind == "distance" else None
        return (
            None,
            *(None if floor is None or value is None else value - floor for value in self.values[1:]),
        )


@dataclass(frozen=True, slots=True)
class VoiceTable:
    """Figures for the poems of one language; the first column is the poet. A draw takes `drawn` poems of each set.

    `said` stands instead of figures where there are too few poems for them.
    """

    language: str
    columns: tuple[str, ...]
    rows: tuple[VoiceRow, ...]
    drawn: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a set of poems comes to. `ended` is the share that ended of themselves, `lines` are a poem's on average.

    `delta` is Burrows's Delta above what the poet's own unseen poems have, `named` the share that the author
    classifier gives to the poet, `copied` the share of lines that stand in training poems, of `countable` long enough
    to count, `variety` distinct-2 over as much text as every set has. None where it cannot be said.
    """

    label: str
    poems: int
    ended: float
    lines: float
    delta: float | None = None
    named: float | None = None
    copied: float = 0.0
    variety: float | None = None
    countable: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A checkpoint: its step, its losses in nats per token, and figures of what it writes."""

    step: int
    figures: Figures
    train_loss: float | None = None
    validation_loss: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """One way of writing: figures, and the share of prose by how far its poems have come.

    `turn` is how many words (characters) stand before prose comes to be commoner than with the poet, for good.
    """

    figures: Figures
    stretches: tuple[Stretch, ...]
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Courses:
    """Ways of writing beside the poet: lines over `longest` units count as prose, `usual` is the poet's own share."""

    kind: Literal["lengths", "decoding"]
    unit: str
    longest: int
    usual: float
    ways: tuple[Course, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyRow:
    """Lines of one set of poems that stand in the training poems."""

    label: str
    poems: int
    lines: int
    copied: int

    @property
    def share(self) -> float:
        """Copied lines over lines long enough to count; 0 where there are none."""
        return self.copied / self.lines if self.lines else 0.0


@dataclass(frozen=True, slots=True)
class CopiedLine:
    """A line as the model wrote it, and the poem in which it stands."""

    line: str
    source: str


@dataclass(frozen=True, slots=True)
class Offence:
    """A poem with copied lines, and how many of its lines were long enough to count."""

    label: str
    candidate: str
    title: str
    lines: int
    copied: tuple[CopiedLine, ...]


@dataclass(frozen=True, slots=True)
class Copying:
    """Copied lines: one row a set of poems, and the poems that copy most."""

    rows: tuple[CopyRow, ...]
    worst: tuple[Offence, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the lineage: what it is, its id (a hash, or a name where it has none), and a sentence about it."""

    what: str
    id: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took. Units `s`, `bytes` and `parameters` are shown in words, others as given."""

    what: str
    amount: float
    unit: str


@dataclass(frozen=True, slots=True)
class Training:
    """One stage's training: its losses, and the largest gradient norms since the report before, by step."""

    stage: str
    points: tuple[Point, ...]
    norms: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the report shows; an empty part is left out.

    `best`, `typical` and `worst` are poems as `judged_by` ranked them. `sheets` stand in the order of the report.
    """

    title: str
    poet: str = ""
    about: tuple[str, ...] = ()
    made: str = ""
    best: tuple[Printed, ...] = ()
    typical: tuple[Printed, ...] = ()
    worst: tuple[Printed, ...] = ()
    judged_by: str = ""
    pairs: tuple[Pair, ...] = ()
    trainings: tuple[Training, ...] = ()
    losses: tuple[LossRow, ...] = ()
    voice: tuple[VoiceTable, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    copying: Copying | None = None
    lineage: tuple[Link, ...] = ()
    costs: tuple[Cost, ...] = ()
    notes: tuple[str, ...] = ()
