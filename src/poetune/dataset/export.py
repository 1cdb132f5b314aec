"""Examples as chat JSON lines, in the shapes that mlx-lm and TRL read."""

from collections.abc import Iterable
from typing import Any, Literal

from poetune.errors import RecipeError
from poetune.records import Example, Split

Style = Literal["mlx", "trl"]
FILES: dict[Split, str] = {"train": "train.jsonl", "validation": "valid.jsonl", "test": "test.jsonl"}


def export_rows(examples: Iterable[Example], style: Style) -> dict[str, list[dict[str, Any]]]:
    """Rows by file name; a split without examples has no file.

    mlx: {"messages": [...]}, or {"text": ...} for raw prompts and plain verse. trl: {"prompt": ..., "completion": ...},
    as messages, or as strings for raw prompts; {"text": ...} for plain verse. A template's pause before the poem goes
    into the answer; `trim` cannot be said in these shapes and is left out.
    Raises RecipeError where rows of two shapes would share a file, which neither reader takes.
    """
    out: dict[str, list[dict[str, Any]]] = {}
    for example in examples:
        out.setdefault(FILES[example.split], []).append(_row(example, style))
    for name, rows in out.items():
        if len({(*row, *(type(value) for value in row.values())) for row in rows}) > 1:
            raise RecipeError(
                f"{name} would mix raw and chat rows, which {style} cannot read; export one kind of template."
            )
    return out


def _row(example: Example, style: Style) -> dict[str, Any]:
    asked = example.conversation
    answer = asked.lead + asked.prefix + example.completion
    if example.plain:
        return {"text": example.completion}
    if asked.raw:
        return {"text": asked.raw + answer} if style == "mlx" else {"prompt": asked.raw, "completion": answer}
    turns = [{"role": turn.role, "content": turn.content} for turn in asked.messages]
    told = [{"role": "assistant", "content": answer}]
    return {"messages": turns + told} if style == "mlx" else {"prompt": turns, "completion": told}
