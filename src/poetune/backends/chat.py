"""A model of an engine as a Chat, so that the project's own models can judge through the same door as a server's."""

from collections.abc import Mapping
from typing import Any

from poetune.errors import AnswerRefused
from poetune.ports import Generator, Reply, Request, Weights
from poetune.records import Conversation, Message, Sampling, digest


class EngineChat:
    """Greedy answers of `weights` on `engine`; `max_tokens` bounds each. No schema shapes them."""

    def __init__(self, engine: Generator, weights: Weights, name: str, max_tokens: int) -> None:
        self.name = self.model = name
        self.max_tokens = max_tokens
        self._engine, self._weights = engine, weights

    def probe(self, known: str = "") -> str:  # noqa: ARG002
        """Nothing to find out."""
        return "text"

    def ask(self, system: str, user: str, schema: Mapping[str, Any] | None = None) -> Reply:  # noqa: ARG002
        """The answer. Raises AnswerRefused where the engine could not write one."""
        talk = Conversation((Message("system", system), Message("user", user)))
        sampling = Sampling(temperature=0.0, top_p=1.0, repetition_penalty=1.0, max_tokens=self.max_tokens)
        request = Request(digest("judge", system, user), self._weights, talk, sampling, 0)
        (written,) = self._engine.generate([request])
        if written.stop == "error":
            raise AnswerRefused(
                f"{self.name} could not answer; its context may be too short for {len(user)} characters"
            )
        return Reply(written.text, len(self._engine.render(self._weights, talk)), written.tokens)

    def close(self) -> None:
        """The engine is the studio's to close."""
