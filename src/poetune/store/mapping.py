"""Records to rows and back: a column per field, JSON for whatever SQLite has no type for."""

import json
import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")
_HINTS: dict[type, dict[str, Any]] = {}


def to_row(record: Any) -> dict[str, Any]:
    """Column values of a record; its `id` is among them, also where it is computed."""
    row: dict[str, Any] = {}
    for item in fields(record):
        row[item.name] = _encode(getattr(record, item.name))
    if hasattr(record, "id"):
        row.setdefault("id", record.id)
    return row


def from_row(kind: type[Record], row: Mapping[str, Any]) -> Record:
    """The record of type `kind` in a row."""
    hints = _HINTS.setdefault(kind, get_type_hints(kind))
    names = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: _decode(hints[name], row[name]) for name in names})


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=lambda v: dict(v))


def _decode(hint: Any, value: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        hint = next(a for a in get_args(hint) if a is not type(None))
        origin = get_origin(hint)
    if hint is bool:
        return bool(value)
    if origin is tuple:
        return _build(hint, json.loads(value))
    if is_dataclass(hint) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return _build(hint, json.loads(value))
    return value


def _build(hint: Any, value: Any) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        hints = _HINTS.setdefault(hint, get_type_hints(hint))
        return hint(**{k: _build(hints[k], v) for k, v in value.items()})
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(_build(inner, v) for v in value)
    return value
