"""Changing values in the text of a poet.yaml: comments, order and everything else stay as they are."""

from collections.abc import Mapping
from typing import Any

import yaml

from poetune.errors import RecipeError
from poetune.recipe.yamltext import Loader, dump, parse

_WIDE = 100  # a longer value is written as an indented block


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """`text` with each dotted key set to its value; keys and sections that are missing are added.

    Raises RecipeError where `text` is no YAML mapping or is laid out so that a value cannot be set in place.
    """
    for key, value in values.items():
        wanted = _changed(parse(text, "poet.yaml"), key.split("."), value)
        text = _with_value(text, key.split("."), value)
        if parse(text, "poet.yaml") != wanted:
            raise RecipeError(f"poet.yaml: `{key}` cannot be set without disturbing the rest; write it in by hand.")
    return text


def _changed(data: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """The data that the new text must hold, made apart from the text."""
    inner = data.get(path[0])
    if len(path) == 1:
        return {**data, path[0]: value}
    if inner is not None and not isinstance(inner, dict):
        raise RecipeError(f"poet.yaml: `{path[0]}` is a value, not a section; remove it first.")
    return {**data, path[0]: _changed(inner or {}, path[1:], value)}


def _with_value(text: str, path: list[str], value: Any) -> str:
    node = yaml.compose(text, Loader=Loader)
    at, indent = (node if isinstance(node, yaml.MappingNode) else None), 0
    for depth, name in enumerate(path):
        found = next(((k, v) for k, v in at.value if k.value == name), None) if at is not None else None
        if found is None:
            return _added(text, at, indent, path[depth:], value)
        key, held = found
        indent = key.start_mark.column
        if depth == len(path) - 1:
            return _replaced(text, key, held, value)
        if not isinstance(held, yaml.MappingNode):  # `section:` with nothing but comments below it
            end = _line_end(text, key.end_mark.index)
            lines = _lines(path[depth + 1 :], value, indent + 2)
            return text[:end] + "\n" + lines + text[end + 1 :]
        if held.flow_style:
            whole = _changed(parse(text, "poet.yaml"), path, value)
            for part in path[: depth + 1]:
                whole = whole[part]
            return _replaced(text, key, held, whole)
        at, indent = held, held.value[0][0].start_mark.column
    raise AssertionError(path)


def _replaced(text: str, key: yaml.Node, held: yaml.Node, value: Any) -> str:
    start, end = held.start_mark.index, _content_end(text, held)
    block = "\n" in text[start:end] or text[key.end_mark.index : start].count("\n") > 0
    plain = dump(value)
    if block or len(plain) > _WIDE:
        if block:  # what stood below the key goes with it
            start = text.index(":", key.end_mark.index) + 1
        body = _block(value, key.start_mark.column + 2) if len(plain) > _WIDE else f" {plain}"
        return text[:start].rstrip(" ") + body + text[end:]
    lead = "" if text[start - 1 : start] in (" ", "") else " "
    tail = text[end:]
    spaces = len(tail) - len(tail.lstrip(" "))
    if tail[spaces : spaces + 1] == "#":  # a remark beside the value keeps its column where there is room
        tail = " " * max(1, spaces + (end - start) - len(lead + plain)) + tail[spaces:]
    return text[:start] + lead + plain + tail


def _added(text: str, at: yaml.MappingNode | None, indent: int, path: list[str], value: Any) -> str:
    if at is not None and at.flow_style:
        raise RecipeError("poet.yaml is written in braces; write it as `key: value` lines first.")
    column = at.value[0][0].start_mark.column if at is not None and at.value else indent
    lines = _lines(path, value, column)
    if column == 0:  # a new section stands apart, at the end
        return text + "\n" * (bool(text) and not text.endswith("\n")) + "\n" * (len(path) > 1) + lines
    end = _line_end(text, _content_end(text, at)) if at is not None else len(text)
    head = text[:end]
    return head + "\n" + lines + text[end + 1 :]


def _lines(path: list[str], value: Any, column: int) -> str:
    """`path` and its value as lines from `column` on."""
    out = "".join(" " * (column + 2 * i) + f"{name}:\n" for i, name in enumerate(path[:-1]))
    inner = column + 2 * (len(path) - 1)
    plain = dump(value)
    body = _block(value, inner + 2) if len(plain) > _WIDE else f" {plain}"
    return out + " " * inner + f"{path[-1]}:{body}\n"


def _block(value: Any, column: int) -> str:
    """A long list or section, an entry a line; other values on their own line."""
    pad = "\n" + " " * column
    if isinstance(value, list) and value:
        return "".join(f"{pad}- {dump(item)}" for item in value)
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{dump(key)}: {dump(item)}" for key, item in value.items())
    return f" {dump(value)}"


def _content_end(text: str, node: yaml.Node) -> int:
    """Where the node's own text ends; the parser counts the remarks after a block as its part."""
    if isinstance(node, yaml.ScalarNode):
        if node.style in ("|", ">"):
            return node.start_mark.index + len(text[node.start_mark.index : node.end_mark.index].rstrip())
        return int(node.end_mark.index)
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _content_end(text, last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end
