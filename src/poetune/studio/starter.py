"""The bundled base, poems and themes, each refused where it is not what was shipped."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from poetune.errors import EngineError, StoreError
from poetune.records import Poem
from poetune.verse.lines import language

FOLDER = Path(__file__).resolve().parent.parent / "starter"
AUTHORS = {"en": "The Weighbridge Keeper", "zh": "桥东锔碗匠"}


@cache
def base_folder() -> Path:
    """The bundled base model's folder. Raises EngineError where a file is missing or altered."""
    sums = FOLDER / "base" / "SHA256SUMS"
    if not sums.exists():
        raise EngineError(
            f"the bundled base model is missing ({sums.parent}); reinstall poetune, "
            "or rebuild it with `python -m tools.starter build`."
        )
    for line in sums.read_text(encoding="utf-8").splitlines():
        expected, _, name = line.partition("  ")
        file = sums.parent / name
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            state = "is missing" if not file.exists() else "is not the file that was shipped"
            raise EngineError(
                f"the bundled base model's {name} {state} ({file}); reinstall poetune, "
                "or rebuild it with `python -m tools.starter build`."
            )
    return sums.parent


def poems(tongue: str) -> Iterator[Poem]:
    """The starter poems in `en` or `zh`."""
    path = FOLDER / f"poems_{tongue}.jsonl"
    if not path.exists():
        raise StoreError(f"the bundled poems are missing ({path}); reinstall poetune.")
    author = AUTHORS[tongue]
    with path.open(encoding="utf-8") as rows:
        for line in rows:
            row = json.loads(line)
            yield Poem(
                text=row["text"],
                title=row["title"],
                author=row.get("author", author),
                language=language(row["text"]),
                theme=row["theme"],
                source=f"starter/{path.name}",
                licence="CC0-1.0",
            )
