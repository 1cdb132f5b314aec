"""A poem's request as chat messages, and a chat's answer as a poem."""

import re
from collections.abc import Mapping
from typing import Any

from poetune.backends.endings import cut_lines, first_of
from poetune.ports import Request, Written
from poetune.records import Conversation, Sampling, Stop
from poetune.verse.lines import language

_STOPS: Mapping[str, Stop] = {"stop": "eos", "length": "length"}
_THOUGHT = re.compile(r"\A.*</think(?:ing)?>|<think(?:ing)?>.*\Z", re.DOTALL)
_JOINED = re.compile(r"[\s，、,]\Z")


def messages(conversation: Conversation) -> list[dict[str, str]]:
    """The turns; an opening is put into words at the end of the last user turn."""
    turns = [{"role": m.role, "content": m.content} for m in conversation.messages]
    if not conversation.prefix:
        return turns
    begin = (
        "这首诗的开头如下，请接着写下去，不要重复开头："
        if language(conversation.prefix) == "zh"
        else "The poem begins with these words; go on from there without repeating them:"
    )
    asked = f"{begin}\n{conversation.prefix}"
    if turns and turns[-1]["role"] == "user":
        turns[-1]["content"] += f"\n\n{asked}"
    else:
        turns.append({"role": "user", "content": asked})
    return turns


def settings(sampling: Sampling, seed: int) -> dict[str, Any]:
    """Arguments of a chat completion; those outside OpenAI's own API are sent only where they are set."""
    extra: dict[str, Any] = {}
    if sampling.top_k:
        extra["top_k"] = sampling.top_k
    if sampling.min_p:
        extra["min_p"] = sampling.min_p
    if sampling.repetition_penalty != 1:
        extra["repetition_penalty"] = sampling.repetition_penalty
    found: dict[str, Any] = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": seed % 2**31}
    return found | ({"extra_body": extra} if extra else {})


def written(request: Request, answer: str, finish: str, tokens: int) -> Written:
    """The answer without thoughts, without an opening said again, and cut at `max_lines` or a stop sequence.

    An opening that does not end within a line is followed by a new line, as a chat begins its answer on one.
    """
    text = _THOUGHT.sub("", answer).strip("\n").rstrip()
    prefix = request.conversation.prefix
    if prefix and text.lstrip().startswith(prefix.strip()):
        text = text.lstrip()[len(prefix.strip()) :]
    elif prefix and not _JOINED.search(prefix):
        text = f"\n{text}"
    most, end = request.sampling.max_lines, first_of(text, request.sampling.stop)
    short = cut_lines(prefix + text, most)[len(prefix) :] if most else text  # an opening's lines count
    if end is not None and end < len(short):
        return Written(request.id, text[:end].rstrip(), "sequence", tokens)
    stop = _STOPS.get(finish, "error")
    return Written(request.id, short, "lines" if short != text else stop, tokens)
