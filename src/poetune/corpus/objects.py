"""JSON and JSON lines: objects, lists of them however nested, or plain strings; a bad one is skipped and named."""

import json
import re
from collections.abc import Iterator
from typing import Any

from poetune.corpus.chat import is_theme
from poetune.corpus.intake import Findings, Row

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[\s,]*")


def json_lines(name: str, text: str, findings: Findings) -> Iterator[Row]:
    """One row a line; the row's number is its line's."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            findings.skip(name, number, f"is not JSON ({_short(error)})")
            continue
        row = _row(name, number, value)
        if row is None:
            findings.skip(name, number, "is neither an object nor a string")
        else:
            yield row


def json_file(name: str, text: str, findings: Findings) -> Iterator[Row]:
    """The objects of a JSON file: a list, a list under one key, a table of titles and texts, or one object."""
    try:
        value = json.loads(text)
    except RecursionError:
        findings.skip(name, 0, "is nested too deeply to be a list of poems")
        return
    except ValueError as error:
        if text.lstrip().startswith("{") and "Extra data" in str(error):
            yield from json_lines(name, text, findings)
        elif text.lstrip().startswith("["):
            yield from _recovered(name, text, findings)
        else:
            findings.skip(name, 0, f"is not JSON ({_short(error)}); check it at that line")
        return
    for number, item in enumerate(_flat(value), 1):
        row = _row(name, number, item)
        if row is None:
            findings.skip(name, number, "is neither an object nor a string")
        else:
            yield row


def _flat(value: Any) -> Iterator[Any]:
    if _is_pair(value):
        yield {"image": value[0], "response": value[1]}
        return
    if isinstance(value, list):
        for item in value:
            yield from _flat(item) if isinstance(item, list) else [item]
        return
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and all(isinstance(i, dict) for i in v)]
        if (
            len(lists) == 1
            and not any(isinstance(v, str) and "\n" in v for v in value.values())
            and "messages" not in value
        ):
            yield from lists[0]
            return
        if len(value) > 1 and all(isinstance(v, dict) for v in value.values()):
            for key, item in value.items():
                yield item if "title" in item or "name" in item else {"title": key, **item}
            return
    yield value


def _is_pair(value: Any) -> bool:
    """A theme on one line and a poem of several in a list of two, as some tools keep them."""
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)):
        return False
    return is_theme(value[0]) and "\n" in value[1].strip()


def _recovered(name: str, text: str, findings: Findings) -> Iterator[Row]:
    """The elements of a damaged list, each decoded by itself."""
    at, number = text.index("[") + 1, 0
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        if at >= len(text) or text[at] == "]":
            return
        number += 1
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            findings.skip(name, number, f"is not JSON ({_short(error)})")
            after = text.find("\n", at) if "\n" in text[at:] else len(text)
            start = re.compile(r"[ \t]*\{").match
            while after < len(text) and not start(text, after + 1):
                after = text.find("\n", after + 1) if "\n" in text[after + 1 :] else len(text)
            at = after + 1
            continue
        row = _row(name, number, value)
        if row is not None:
            yield row


def _row(name: str, number: int, value: Any) -> Row | None:
    if isinstance(value, str):
        return Row(name, number, {"text": value})
    return Row(name, number, {str(k): v for k, v in value.items()}) if isinstance(value, dict) else None


def _short(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno} column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
