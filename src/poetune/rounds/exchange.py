"""The JSON of an earlier poet's tools: poems as nested lists of [image, response], or as the rows its reviewer kept."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from poetune.errors import ReviewError

_THEMES = ("image", "theme", "title", "prompt")
_TEXTS = ("response", "body", "text", "poem")
_CODES = ("checkpoint_number", "checkpoint")


@dataclass(frozen=True, slots=True)
class Pair:
    """A poem and what it was asked for; `code` is its checkpoint code where the file has one."""

    theme: str
    text: str
    code: int | None = None
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What a file held, in its order, and how many entries were neither a pair nor an object with a poem."""

    pairs: tuple[Pair, ...]
    skipped: int


def read_pairs(text: str) -> Read:
    """Pairs from lists nested however deep, and from objects with `image` and `response` (or `title` and `body`).

    Raises ReviewError for what is no JSON and for a file without any pair.
    """
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise ReviewError(f"this is no JSON file ({error}); give one of [image, response] pairs.") from None
    found: list[Pair] = []
    skipped = 0
    for entry in _entries(value):
        if entry is None:
            skipped += 1
        else:
            found.append(entry)
    if not found:
        raise ReviewError("no [image, response] pair and no object with image and response is in it; name another.")
    return Read(tuple(found), skipped)


def nested(pairs: Iterable[Pair]) -> str:
    """Lists of [image, response], one a theme, in the order given."""
    groups: dict[str, list[list[str]]] = {}
    for pair in pairs:
        groups.setdefault(pair.theme, []).append([pair.theme, pair.text])
    return json.dumps(list(groups.values()), ensure_ascii=False, indent=2) + "\n"


def _entries(value: Any) -> Iterator[Pair | None]:
    if isinstance(value, dict):
        pair = _object(value)
        inner = [each for each in value.values() if isinstance(each, list | dict)]
        if pair is not None or not inner:
            yield pair
            return
        for each in inner:
            yield from _entries(each)
    elif isinstance(value, list):
        if len(value) in (2, 3) and all(isinstance(each, str) for each in value[:2]):
            yield Pair(value[0].strip(), value[1]) if value[1].strip() else None
            return
        for each in value:
            yield from _entries(each)
    else:
        yield None


def _object(value: dict[str, Any]) -> Pair | None:
    theme, text = _first(value, _THEMES), _first(value, _TEXTS)
    if not text.strip():
        return None
    code = next((value[key] for key in _CODES if str(value.get(key, "")).isdigit()), None)
    return Pair(theme.strip(), text, None if code is None else int(code), value.get("accepted") is True)


def _first(value: dict[str, Any], keys: Iterable[str]) -> str:
    return next((value[key] for key in keys if isinstance(value.get(key), str)), "")
