"""Rows that are conversations: the last question is the theme, the last answer the poem."""

import re
from collections.abc import Mapping
from typing import Any

_CHATML = re.compile(
    r"<\|im_start\|>\s*(system|user|assistant)[ \n]?(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL
)
_ROLES = {"human": "user", "gpt": "assistant", "model": "assistant"}
_PAIRS = (("prompt", "completion"), ("image", "response"), ("prompt", "response"), ("instruction", "output"))


def unwrap(values: Mapping[str, object]) -> Mapping[str, object]:
    """The row with `theme` and `text` in place of its conversation; rows of other shapes come back as they are."""
    for key in ("messages", "conversations"):
        if key in values:
            return _with(values, {key}, *_ends(values[key]))
    text = values.get("text")
    if isinstance(text, str) and "<|im_start|>" in text:
        turns = [{"role": role, "content": content} for role, content in _CHATML.findall(text)]
        return _with(values, {"text"}, *_ends(turns))
    for ask, answer in _PAIRS:
        if ask in values and answer in values and "text" not in values:
            if isinstance(values[ask], list):
                theme, poem = _ends([*_list(values[ask]), *_list(values[answer])])
            else:
                theme = str((ask == "instruction" and values.get("input")) or values[ask] or "")
                poem = str(values[answer] or "")
            return _with(values, {ask, answer}, theme, poem)
    return values


def _with(values: Mapping[str, object], used: set[str], theme: str, poem: str) -> dict[str, object]:
    rest = {key: value for key, value in values.items() if key not in used}
    return {"theme": theme.strip(), **rest, "text": poem}


def _ends(turns: object) -> tuple[str, str]:
    """The last user turn and the last assistant turn."""
    theme = poem = ""
    for turn in _list(turns):
        if isinstance(turn, dict):
            role = str(turn.get("role") or turn.get("from") or "")
            content = turn.get("content") if "content" in turn else turn.get("value")
            words = _content(content)
            if _ROLES.get(role, role) == "assistant":
                poem = words
            elif _ROLES.get(role, role) == "user":
                theme = words
    return theme, poem


def _content(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
