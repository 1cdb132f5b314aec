"""Examples to rows of token ids with their first supervised position."""

from collections.abc import Iterable
from dataclasses import dataclass

from poetune.backends.rendering import Renderer
from poetune.errors import EngineError
from poetune.ports import ScoreRequest
from poetune.recipe import Training
from poetune.records import Example


@dataclass(frozen=True, slots=True)
class Row:
    """Ids of prompt, poem and EOS; ids[first:] are predicted, each from what stands before it."""

    ids: tuple[int, ...]
    first: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a data split, of at most `longest` ids (0: not said), and how many examples were cut, split into several
    rows, or had to be left out.
    """

    rows: tuple[Row, ...]
    cut: int = 0
    left_out: int = 0
    split: int = 0
    longest: int = 0


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
    return Rows(tuple(rows), cut, left_out, split, longest)


def said(train: Rows, held: Rows, settings: Training, undecayed: Iterable[str] = ()) -> tuple[str, ...]:
    """What is worth saying of the rows before a training; `undecayed` are optimizers without weight decay.

    Raises:
        EngineError: there is no training row.
    """
    if not train.rows:
        raise EngineError("finetune: no training example is left; raise finetune.longest or check dataset.shares")
    out = []
    for rows, split in ((train, "training"), (held, "validation")):
        limit = f"{rows.longest} tokens" + (", all that the base reads," if rows.longest < settings.longest else "")
        long = f"{split} poems are longer than {limit} and were"
        if rows.split:
            out.append(f"{rows.split} {long} split at line breaks")
        if rows.cut:
            out.append(f"{rows.cut} {long} cut at a line break")
        if rows.left_out:
            out.append(f"{rows.left_out} {split} examples were left out: empty, or their prompt fills all of longest")
    size = settings.batch * settings.accumulation
    if len(train.rows) < size:
        out.append(f"there are {len(train.rows)} training rows and a step takes {size}: each step reads all of them")
    if settings.optimizer in undecayed and settings.weight_decay and "weight_decay" in settings.model_fields_set:
        out.append(f"{settings.optimizer} has no weight decay, so finetune.weight_decay is left out; adamw has it")
    return tuple(out)


def score_row(renderer: Renderer, request: ScoreRequest, context: int) -> Row:
    """Prompt, completion and EOS; beyond `context` positions the end is cut, and the score's `tokens` say so."""
    before = renderer.opener() if request.plain else renderer.prompt(request.conversation)
    ids = [*before, *renderer.completion(request.completion), renderer.eos]
    return Row(tuple(ids[: context + 1]), min(len(before), context))


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
