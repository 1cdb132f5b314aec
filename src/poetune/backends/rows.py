"""Examples to rows of token ids with their first supervised position."""

from collections.abc import Iterable
from dataclasses import dataclass

from poetune.backends.rendering import Renderer
from poetune.records import Example


@dataclass(frozen=True, slots=True)
class Row:
    """Ids of prompt, poem and EOS; ids[first:] are predicted, each from what stands before it."""

    ids: tuple[int, ...]
    first: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a data split, and how many examples were cut, split into several rows, or had to be left out."""

    rows: tuple[Row, ...]
    cut: int = 0
    left_out: int = 0
    split: int = 0


def build_rows(renderer: Renderer, examples: Iterable[Example], longest: int, too_long: str = "cut") -> Rows:
    """One row an example; every row ends in EOS.

    A poem too long is cut at the end, at a line break, or with `too_long` "split" goes on in further rows, each with
    the prompt; a line that is itself too long is cut.
    """
    rows, cut, left_out, split = [], 0, 0, 0
    for example in examples:
        before = renderer.opener() if example.plain else renderer.prompt(example.conversation)
        poem = renderer.completion(example.completion)
        room = longest - len(before) - 1
        if room < 1 or not poem:
            left_out += 1
            continue
        if len(poem) <= room:
            rows.append(Row((*before, *poem, renderer.eos), len(before)))
            continue
        parts, short = _parts(renderer, example.completion, room)
        if too_long == "cut":
            parts = parts[:1]
        split += len(parts) > 1
        cut += short or len(parts) == 1
        rows += [Row((*before, *part, renderer.eos), len(before)) for part in parts]
    return Rows(tuple(rows), cut, left_out, split)


def _parts(renderer: Renderer, text: str, room: int) -> tuple[list[list[int]], bool]:
    """The poem in parts that fit, each of as many whole lines as possible; and whether a line had to be cut."""
    parts, short = [], False
    lines = text.strip("\n").split("\n")
    while lines:
        fits = _fitting(renderer, lines, room)
        kept = renderer.completion("\n".join(lines[:fits]).rstrip())
        if not kept:
            kept, short = renderer.completion(lines[0])[:room], True
        parts.append(kept)
        lines = lines[max(1, fits) :]
        while lines and not lines[0].strip():
            lines.pop(0)
    return parts, short


def _fitting(renderer: Renderer, lines: list[str], room: int) -> int:
    """How many lines from the first on fit."""
    fits, over = 0, len(lines) + 1
    while over - fits > 1:
        middle = (fits + over) // 2
        if len(renderer.completion("\n".join(lines[:middle]).rstrip())) <= room:
            fits = middle
        else:
            over = middle
    return fits
