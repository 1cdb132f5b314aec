"""Examples to rows of token ids with their first supervised position."""

from collections.abc import Iterable
from dataclasses import dataclass

from poetune.backends.torch.rendering import Renderer
from poetune.records import Example


@dataclass(frozen=True, slots=True)
class Row:
    """Ids of prompt, poem and EOS; ids[first:] are predicted, each from what stands before it."""

    ids: tuple[int, ...]
    first: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a split, and how many examples were cut or had to be left out."""

    rows: tuple[Row, ...]
    cut: int = 0
    left_out: int = 0


def build_rows(renderer: Renderer, examples: Iterable[Example], longest: int) -> Rows:
    """One row an example. A poem too long is cut at the end, at a line break; every row ends in EOS."""
    rows, cut, left_out = [], 0, 0
    for example in examples:
        before = renderer.opener() if example.plain else renderer.prompt(example.conversation)
        poem = renderer.completion(example.completion)
        room = longest - len(before) - 1
        if room < 1 or not poem:
            left_out += 1
            continue
        if len(poem) > room:
            poem = _fit(renderer, example.completion, room)
            cut += 1
        rows.append(Row((*before, *poem, renderer.eos), len(before)))
    return Rows(tuple(rows), cut, left_out)


def _fit(renderer: Renderer, text: str, room: int) -> list[int]:
    """The most whole lines of `text` that fit; the first tokens where not even one line does."""
    lines = text.split("\n")
    fits, over = 0, len(lines)
    while over - fits > 1:
        middle = (fits + over) // 2
        if len(renderer.completion("\n".join(lines[:middle]).rstrip())) <= room:
            fits = middle
        else:
            over = middle
    kept = renderer.completion("\n".join(lines[:fits]).rstrip())
    return kept or renderer.completion(text)[:room]
