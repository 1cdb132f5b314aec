"""Answers in OpenAI's shapes, whole and as chunks of a stream."""

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from poetune.ports import Written


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request's answers have in common."""

    model: str
    chat: bool
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, poems: Sequence[Written], prompt_tokens: int) -> dict[str, Any]:
        """All choices at once."""
        choices = [
            {"index": i, **self._said(poem.text), "finish_reason": finish(poem), "logprobs": None}
            for i, poem in enumerate(poems)
        ]
        return {
            **self._head("chat.completion", "text_completion"),
            "choices": choices,
            "usage": usage(poems, prompt_tokens),
        }

    def chunk(self, place: int, text: str | None, finish: str | None = None, first: bool = False) -> str:
        """One piece of one choice, as a server-sent event."""
        if self.chat:
            delta: dict[str, Any] = {"role": "assistant"} if first else {}
            said: dict[str, Any] = {"delta": delta | ({} if text is None else {"content": text})}
        else:
            said = {"text": text or ""}
        choice = {"index": place, **said, "finish_reason": finish, "logprobs": None}
        return event({**self._head("chat.completion.chunk", "text_completion"), "choices": [choice]})

    def counted(self, poems: Sequence[Written], prompt_tokens: int) -> str:
        """The usage, as the last event of a stream that asked for it."""
        head = self._head("chat.completion.chunk", "text_completion")
        return event({**head, "choices": [], "usage": usage(poems, prompt_tokens)})

    def _said(self, text: str) -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}

    def _head(self, chat: str, plain: str) -> dict[str, Any]:
        kind, mark = (chat, "chatcmpl") if self.chat else (plain, "cmpl")
        return {"id": f"{mark}-{self.id}", "object": kind, "created": self.created, "model": self.model}


def usage(poems: Sequence[Written], prompt_tokens: int) -> dict[str, int]:
    """Tokens; the prompt is counted once, however many choices."""
    written = sum(poem.tokens for poem in poems)
    return {"prompt_tokens": prompt_tokens, "completion_tokens": written, "total_tokens": prompt_tokens + written}


def event(data: object) -> str:
    """A server-sent event."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def problem(sentence: str, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    """An error as OpenAI's clients read it."""
    return {"error": {"message": sentence, "type": kind, "param": None, "code": code}}


def finish(poem: Written) -> str:
    """Why it ended: `stop` at its end or a stop text, `length` at a limit."""
    return "length" if poem.stop in ("length", "lines") else "stop"
