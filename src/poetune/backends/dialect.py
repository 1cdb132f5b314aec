"""What an OpenAI-compatible server has been found to take, and what to try next when it refuses a request's form."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from poetune.errors import PoetuneError

FORMATS = ("json_schema", "json_object", "text")
_BEYOND = ("top_k", "min_p", "repetition_penalty", "repeat_penalty")  # not in OpenAI's own API
STREAMED: Mapping[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server has been found to take: the answer's format, the name of the token limit, optional settings."""

    format: int = 0
    limit: str = "max_tokens"
    without: frozenset[str] = frozenset()

    def to_text(self) -> str:
        """One line to keep, e.g. `json_object max_tokens -temperature`."""
        return " ".join([FORMATS[self.format], self.limit, *(f"-{name}" for name in sorted(self.without))])

    @classmethod
    def from_text(cls, text: str) -> "Dialect":
        """The dialect that `to_text` wrote."""
        shape, limit, *without = text.split()
        return cls(FORMATS.index(shape), limit, frozenset(name.removeprefix("-") for name in without))


def request_body(
    dialect: Dialect,
    model: str,
    messages: Sequence[Mapping[str, str]],
    max_tokens: int,
    settings: Mapping[str, Any],
    schema: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Arguments of a chat completion in this dialect; `schema` is a JSON Schema of the answer."""
    body = {"model": model, "messages": list(messages), dialect.limit: max_tokens}
    sent = {key: value for key, value in settings.items() if key not in dialect.without}
    body |= {key: value for key, value in sent.items() if key not in _BEYOND}
    body["extra_body"] = {key: sent[key] for key in _BEYOND if key in sent}
    if schema is not None and FORMATS[dialect.format] == "json_schema":
        named = {"name": "answer", "strict": True, "schema": dict(schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif schema is not None and FORMATS[dialect.format] == "json_object":
        body["response_format"] = {"type": "json_object"}
    return body


def step_down(dialect: Dialect, refusal: str, shaped: bool, optional: frozenset[str] | set[str]) -> Dialect | None:
    """The next to try: what the refusal names, else the format, the limit's name, optional settings; or None."""
    formats = shaped and dialect.format < len(FORMATS) - 1
    limit = dialect.limit == "max_tokens"
    left = sorted(set(optional) - dialect.without, key=lambda name: (name not in _BEYOND, name == "stream", name))
    named = [name for name in left if re.search(rf"\b{name}(?!_)", refusal)]
    if limit and "max_completion_tokens" in refusal:
        return replace(dialect, limit="max_completion_tokens")
    if named:
        return _leaving_out(dialect, *named)
    if formats:
        return replace(dialect, format=dialect.format + 1)
    if limit:
        return replace(dialect, limit="max_completion_tokens")
    if left:
        return _leaving_out(dialect, left[0])
    return None


def _leaving_out(dialect: Dialect, *names: str) -> Dialect:
    gone = {*names, *(STREAMED if "stream" in names else ())}
    return replace(dialect, without=dialect.without | gone)


def address(url: str, error: type[PoetuneError]) -> str:
    """The base address: `/v1` where no path is given, without a pasted `/chat/completions`."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise error(f"{url!r} is no address of an endpoint; it looks like http://localhost:8000/v1")
    if parts.username or parts.password or parts.query:
        raise error(f"the address of {parts.hostname} must hold no key or password; put the key into the environment")
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"
