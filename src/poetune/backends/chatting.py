"""A poem's request as chat messages, and a chat's answer as a poem."""

import re
from collections.abc import Mapping
from typing import Any

from poetune.backends.endings import cut_lines, first_of, settled
from poetune.ports import Request, Written
from poetune.records import Conversation, Sampling, Stop
from poetune.verse.lines import language

_STOPS: Mapping[str, Stop] = {"stop": "eos", "length": "length"}
_THOUGHT = re.compile(r"\A.*</think(?:ing)?>|<think(?:ing)?>.*\Z", re.DOTALL)
_THINKING = ("<think>", "<thinking>")
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
    """Arguments of a chat completion. What is off is sent as well, since servers have defaults of their own."""
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": seed % 2**31,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repetition_penalty,
        "repeat_penalty": sampling.repetition_penalty,  # as llama.cpp calls it
    }


def spared(sampling: Sampling) -> frozenset[str]:
    """Those of the settings that may be left out where a server refuses them: a seed, and what is off."""
    off = {
        "top_k": not sampling.top_k,
        "min_p": not sampling.min_p,
        "repetition_penalty": sampling.repetition_penalty == 1,
    }
    return frozenset({"seed", "repeat_penalty", *(name for name, is_off in off.items() if is_off)})


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


class Hearing:
    """Tells a request's `heard` of its poem while the answer grows."""

    def __init__(self, request: Request) -> None:
        self.request, self._told = request, ""

    def grown(self, answer: str) -> None:
        """An answer so far; what may yet turn out to be a thought, or the opening said again, is kept back."""
        opening = self.request.conversation.prefix.strip()
        certain = settled(answer, (*self.request.sampling.stop, *_THINKING))
        if not opening.startswith(_THOUGHT.sub("", certain).strip()):
            self.tell(written(self.request, certain, "", 0).text)

    def tell(self, text: str) -> None:
        """The poem so far, where it goes on from what was told; where it does not, the end will tell."""
        if self.request.heard and text != self._told and text.startswith(self._told):
            self._told = text
            self.request.heard(text)
