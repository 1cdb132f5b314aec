"""Rows that are conversations: the last answer is the poem, the last question its theme or the prompt it answers."""

import re
from collections.abc import Mapping
from typing import Any

from poetune.corpus import dialogue
from poetune.verse.lines import language, units

_CHATML = re.compile(
    r"<\|im_start\|>\s*(system|user|assistant)[ \n]?(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL
)
_ROLES = {"human": "user", "gpt": "assistant", "model": "assistant"}
_PAIRS = (("prompt", "completion"), ("image", "response"), ("prompt", "response"), ("instruction", "output"))
_ASKS = re.compile(
    r"(?i)(?:please|write|compose|create|generate|tell|continue|complete|finish|give me|can you|could you|would you)\b"
    r"|.*[?？:：]\Z|.*(?:请|帮我|为题)|.*(?:写|作|创作|生成|续写).{0,4}[诗詩词首篇]"
)
_LONGEST_THEME = {"en": 8, "zh": 12}  # words, Han characters


def unwrap(values: Mapping[str, object]) -> Mapping[str, object]:
    """The row with `text` and `theme` or `prompt` in place of its conversation; other rows come back as they are."""
    for key in ("messages", "conversations"):
        if key in values:
            return _with(values, {key}, *_ends(values[key]))
    for key, value in values.items():
        turns = _written(value)
        if turns is not None:
            return _with(values, {key}, *turns)
    for ask, answer in _PAIRS:
        if ask in values and answer in values and "text" not in values:
            used, written = {ask, answer}, _written(values[answer])
            if isinstance(values[ask], list):
                return _with(values, used, *_ends([*_list(values[ask]), *_list(values[answer])]))
            if written is not None:
                return _with(values, used, *written)
            question = str(values[ask] or "")
            given = str(values.get("input") or "") if ask == "instruction" else ""
            if given:
                theme = {"theme": given.strip()} if is_theme(given) else {}
                rest = {key: value for key, value in values.items() if key not in {*used, "input"}}
                return {**theme, "prompt": f"{question}\n\n{given}".strip(), **rest, "text": str(values[answer] or "")}
            return _with(values, used, "", question, str(values[answer] or ""))
    return values


def is_theme(question: str) -> bool:
    """Whether a question is no more than a theme: a few words on one line that ask for nothing."""
    words = question.strip()
    tongue = "zh" if language(words) == "zh" else "en"
    return "\n" not in words and len(units(words)) <= _LONGEST_THEME[tongue] and _ASKS.match(words) is None


def asked(system: str, question: str, poem: str) -> dict[str, object]:
    """A conversation as a row: a theme goes through templates, a prompt is kept to the letter with its system text."""
    if is_theme(question):
        return {"theme": question.strip(), "text": poem}
    return {"prompt": question.strip(), **({"system": system.strip()} if system.strip() else {}), "text": poem}


def _written(value: object) -> tuple[str, str, str] | None:
    """System text, question and answer of a string that is a conversation written out."""
    if not isinstance(value, str):
        return None
    if "<|im_start|>" in value:
        return _ends([{"role": role, "content": content} for role, content in _CHATML.findall(value)])
    return next(reversed([*dialogue.pairs(value)]), None) if dialogue.opens(value) else None


def _with(values: Mapping[str, object], used: set[str], system: str, question: str, poem: str) -> dict[str, object]:
    found = asked(system, question, poem)
    text = found.pop("text")
    return {**found, **{key: value for key, value in values.items() if key not in used}, "text": text}


def _ends(turns: object) -> tuple[str, str, str]:
    """The system text, the last user turn and the last assistant turn."""
    said = dict.fromkeys(("system", "user", "assistant"), "")
    for turn in _list(turns):
        if isinstance(turn, dict):
            role = str(turn.get("role") or turn.get("from") or "")
            said[_ROLES.get(role, role)] = _content(turn.get("content") if "content" in turn else turn.get("value"))
    return said["system"], said["user"], said["assistant"]


def _content(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
