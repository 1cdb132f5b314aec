"""What a client may ask, and what becomes of it: a conversation, a sampling, seeds. What is not served is refused."""

import secrets
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from poetune.errors import EngineError
from poetune.ports import Request, Weights
from poetune.records import Conversation, Message, Sampling

MOST_CHOICES = 16
_NOT_SERVED = {
    "tools": "tools",
    "functions": "functions",
    "logprobs": "log-probabilities",
    "logit_bias": "a logit bias",
    "audio": "audio",
    "suffix": "a suffix",
    "best_of": "best_of",
}
Text = Annotated[str, StringConstraints(max_length=200_000)]


class Part(BaseModel):
    """A part of a message; text alone is read."""

    type: Literal["text"]
    text: Text


class Turn(BaseModel):
    """One message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[Part]

    def plain(self) -> str:
        """Its text."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """Of a stream."""

    include_usage: bool = False


class Asked(BaseModel, ABC):
    """What both kinds of requests share; a field left out takes the recipe's value."""

    model_config = ConfigDict(extra="allow")

    model: str = ""
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=0)
    min_p: float | None = Field(None, ge=0, le=1)
    repetition_penalty: float | None = Field(None, gt=0, le=10)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: str | list[str] | None = None
    n: int = Field(1, ge=1, le=MOST_CHOICES)
    stream: bool = False
    stream_options: StreamOptions | None = None

    def sampling(self, usual: Sampling, most_tokens: int) -> Sampling:
        """The recipe's sampling with what was asked. Raises EngineError for what is not served."""
        self._refuse()
        given = {
            name: value
            for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
            if (value := getattr(self, name)) is not None
        }
        if given:
            given.setdefault("beams", 1)
        stops = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        if len(stops) > 4 or not all(stops):
            raise EngineError("stop takes up to four texts, none of them empty")
        tokens = self.max_completion_tokens or self.max_tokens or min(usual.max_tokens, most_tokens)
        if tokens > most_tokens:
            raise EngineError(f"max_tokens is at most {most_tokens} here")
        return replace(usual, **given, max_tokens=tokens, stop=stops or usual.stop)

    def _refuse(self) -> None:
        more: dict[str, Any] = self.model_extra or {}
        for name, words in _NOT_SERVED.items():
            if more.get(name):
                raise EngineError(f"{words} cannot be asked of this server; leave {name} out")
        if any(more.get(name) for name in ("frequency_penalty", "presence_penalty")):
            raise EngineError("frequency and presence penalties are not served; repetition_penalty is")
        shape = more.get("response_format")
        if shape and (not isinstance(shape, dict) or shape.get("type", "text") != "text"):
            raise EngineError("a poet answers in text; leave response_format out")

    @abstractmethod
    def conversation(self) -> Conversation:
        """What the model reads."""

    def requests(self, weights: Weights, usual: Sampling, most_tokens: int) -> list[Request]:
        """A request for each choice; seeds count on from the one given, or from a random one."""
        sampling, conversation = self.sampling(usual, most_tokens), self.conversation()
        seed = secrets.randbits(48) if self.seed is None else self.seed
        heard = _listen if self.stream else None
        return [Request(str(i), weights, conversation, sampling, seed + i, heard) for i in range(self.n)]


class Chat(Asked):
    """A chat; where the last message is the assistant's, the poem goes on from it."""

    messages: list[Turn] = Field(min_length=1, max_length=200)

    def conversation(self) -> Conversation:
        """Its turns."""
        turns = [Message("system" if t.role == "developer" else t.role, t.plain()) for t in self.messages]
        prefix = turns.pop().content if turns[-1].role == "assistant" else ""
        if not turns:
            raise EngineError("a chat needs a message of the user's")
        return Conversation(tuple(turns), prefix=prefix)


class Completion(Asked):
    """A literal prompt, in which special tokens are read as such."""

    prompt: Text | Annotated[list[Text], Field(min_length=1, max_length=1)]

    def conversation(self) -> Conversation:
        """The prompt as it is."""
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt[0]
        if not prompt:
            raise EngineError("the prompt is empty; write something to go on from")
        return Conversation(raw=prompt)


def _listen(_: str) -> None:
    """Marks a request that is streamed; the queue listens in its place."""
