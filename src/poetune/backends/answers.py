"""What a chat server answered: at once, or piece by piece."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, why it ended (`stop`, `length`, `refusal`, ...) and its tokens, 0 where they aren't told."""

    text: str
    finish: str
    tokens: int
    prompt_tokens: int = 0


class Unfinished(Exception):  # noqa: N818
    """A stream ended without saying why."""


class Unstreamed(Exception):  # noqa: N818
    """A stream was asked for, and the answer is none."""


def read(answer: object) -> Said:
    """A whole chat completion. Raises ValueError where it is none."""
    choices = getattr(answer, "choices", None)
    if not choices:
        raise ValueError("no choices")
    message = choices[0].message
    text, refusal = getattr(message, "content", None) or "", getattr(message, "refusal", None) or ""
    return _said(text, refusal, choices[0].finish_reason, getattr(answer, "usage", None))


def gather(stream: Any, heard: Callable[[str], None]) -> Said:
    """A streamed chat completion, put together; `heard` is told the text so far, unfinished at its end.

    Raises Unstreamed where it is a whole answer, Unfinished where it breaks off, ValueError where it is none.
    """
    if stream.response.headers.get("content-type", "").startswith("application/json"):
        stream.close()
        raise Unstreamed
    text = refusal = finish = ""
    usage, streamed = None, False
    for piece in stream:
        streamed = True
        usage = getattr(piece, "usage", None) or usage
        for choice in getattr(piece, "choices", None) or ():
            new = getattr(choice.delta, "content", None) or ""
            refusal += getattr(choice.delta, "refusal", None) or ""
            finish = choice.finish_reason or finish
            if new:
                text += new
                heard(_characters(text))
    if not streamed:
        raise ValueError("nothing was streamed")
    if not finish:
        raise Unfinished
    return _said(text, refusal, finish, usage)


def _said(text: object, refusal: object, finish: str | None, usage: object) -> Said:
    tokens, read_tokens = (getattr(usage, f"{kind}_tokens", 0) or 0 for kind in ("completion", "prompt"))
    whole = _characters(str(text or refusal))
    return Said(whole, "refusal" if refusal and not text else finish or "", tokens, read_tokens)


def _characters(text: str) -> str:
    """Halves of characters, which JSON can carry and nothing can store, joined, or replaced where one stands alone."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
