"""Rows written as one string of turns, `User: ... Assistant: ...`, on one line or several."""

import re
from collections.abc import Iterator

_USER = r"(?:User|USER|Human|HUMAN|用户)"
_ANSWERS = r"(?:Assistant|ASSISTANT|助手)"
_SYSTEM = re.compile(r"\s*(?:System|SYSTEM|系统)[^\S\n]*[:：]")
_FIRST = re.compile(rf"\s*{_USER}[^\S\n]*[:：]")
_ASKED = re.compile(rf"(?:\A|\n)[^\S\n]*{_USER}[^\S\n]*[:：]")
_ASKED_INLINE = re.compile(rf"(?<=\s){_USER}[^\S\n]*[:：]")
_ANSWERED = re.compile(rf"(?:\A|(?<=\s)){_ANSWERS}[^\S\n]*[:：]")
_END = re.compile(r"\s*(?:<\|endoftext\|>|<\|im_end\|>|<\|eot_id\|>|</s>)\s*\Z")


def opens(text: str) -> bool:
    """Whether a text begins as a dialogue does."""
    return bool(_FIRST.match(text) or _SYSTEM.match(text)) and _ANSWERED.search(text) is not None


def pairs(text: str) -> Iterator[tuple[str, str, str]]:
    """System text, question and answer of each turn; nothing for a text that is no dialogue.

    A question ends at the first mark of an answer, an answer where a line opens with the mark of a question (of a text
    that is one line: at any such mark that an answer follows). The system text holds for all.
    """
    system = ""
    told = _SYSTEM.match(text)
    if told is not None:
        first = _ASKED.search(text, told.end()) or _ASKED_INLINE.search(text, told.end())
        if first is None:
            return
        system, text = text[told.end() : first.start()].strip(), text[first.start() :]
    asked = _FIRST.match(text)
    marks = _ASKED if "\n" in text.strip() else _ASKED_INLINE
    while asked is not None:
        answered = _ANSWERED.search(text, asked.end())
        if answered is None:
            return
        following = marks.search(text, answered.end())
        if following is not None and _ANSWERED.search(text, following.end()) is None:
            following = None
        end = following.start() if following else len(text)
        answer = _END.sub("", text[answered.end() : end])
        yield system, text[asked.end() : answered.start()].strip(), _unpadded(answer)
        asked = following


def _unpadded(answer: str) -> str:
    """Without the space after the mark and the blank lines around: an indent of a first line of its own stays."""
    return (answer if answer.lstrip(" \t").startswith("\n") else answer.lstrip()).strip("\n").rstrip()
