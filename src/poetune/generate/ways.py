"""Ways of drawing side by side: what the same cells became when they were written with other settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.generate.samples import sampling_line
from poetune.records import Candidate, Sampling
from poetune.verse.lines import lines, units


@dataclass(frozen=True, slots=True)
class Way:
    """One way of drawing: its poems' mean lines, words (characters in Chinese) a line, and the share that ended.

    Lines that grow long are a sign of prose.
    """

    sampling: str
    poems: int
    lines: float
    words_a_line: float
    ended: float


def measured(sampling: Sampling, poems: Sequence[Candidate]) -> Way:
    """The figures of the poems that were drawn in one way."""
    printed = [line for poem in poems for line in lines(poem.text)]
    count = len(poems)
    return Way(
        sampling_line(sampling),
        count,
        len(printed) / count if count else 0.0,
        sum(len(units(line)) for line in printed) / len(printed) if printed else 0.0,
        sum(poem.stop == "eos" for poem in poems) / count if count else 0.0,
    )


def ways_text(ways: Sequence[Way]) -> str:
    """The ways as a table, a line each."""
    head = f"{'poems':>5}  {'lines':>5}  {'words a line':>12}  {'ended':>5}  drawn by"
    rows = [f"{w.poems:5}  {w.lines:5.1f}  {w.words_a_line:12.1f}  {w.ended:5.0%}  {w.sampling}" for w in ways]
    return "\n".join([head, *rows])
