"""A connection to one OpenAI-compatible server: its dialect found, its faults in sentences, one policy of calls."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from poetune.backends.answers import Said, Unfinished, Unstreamed, gather, read
from poetune.backends.dialect import FORMATS, STREAMED, Dialect, address, request_body, step_down
from poetune.backends.policy import USUAL, Limits, Policy, TryAgain, retry_after
from poetune.errors import AnswerLost, AnswerRefused, PoetuneError


class Server:
    """One server and model, called under one policy. Its dialect is probed, or found at the first call by stepping
    down, and kept once a call succeeds.

    Calls that failed unpaid (nobody there, 408, 409, 429, 5xx) are tried again. An answer lost on its way may have been
    paid for: with `pay_again` it is asked anew, else AnswerLost is raised.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key_variable: str,
        timeout: float,
        error: type[PoetuneError],
        limits: Limits = USUAL,
        pay_again: bool = True,
    ) -> None:
        self.url, self.timeout, self.error, self.key_variable = address(url, error), timeout, error, key_variable
        self._policy, self._pay_again = Policy(limits), pay_again
        self._key = os.environ.get(key_variable, "").strip()
        try:
            import openai
        except ImportError as missing:
            raise error("an endpoint needs the OpenAI client; install it with: pip install 'poetune[api]'") from missing
        self._sdk = openai
        host = urlsplit(self.url).hostname or ""
        # A proxy from the environment cannot reach a server on this machine.
        local = host in ("localhost", "::1") or host.startswith("127.")
        http = openai.DefaultHttpxClient(trust_env=False) if local else None
        self._client = openai.OpenAI(
            api_key=self._key or "none", base_url=self.url, timeout=timeout, max_retries=0, http_client=http
        )
        self._dialect = Dialect()
        self._settled: set[tuple[bool, bool]] = set()  # calls that have succeeded: with a schema or not, heard or not
        self.model = model or self._only_model()
        self.name = f"{self.model} at {urlsplit(self.url).netloc}"

    def complete(
        self,
        turns: Sequence[Mapping[str, str]],
        max_tokens: int,
        arguments: Mapping[str, Any],
        schema: Mapping[str, Any] | None = None,
        optional: frozenset[str] = frozenset(),
        heard: Callable[[str], None] | None = None,
    ) -> Said:
        """One answer. `optional` names arguments that may be left out where the server refuses them.

        With `heard` it is streamed where the server can: `heard` is told the text so far.
        """
        dialect, kind = self._dialect, (schema is not None, heard is not None)
        if heard is not None:
            arguments, optional = {**arguments, **STREAMED}, optional | set(STREAMED)
        while True:
            if needed := sorted((set(arguments) & dialect.without) - optional):
                raise self.error(f"{self.name} takes no {', '.join(needed)}; set it to what turns it off")
            body = request_body(dialect, self.model, turns, max_tokens, arguments, schema)
            try:
                send = partial(cast(Any, self._client.chat.completions.create), **body)
                said = self._policy.run(
                    partial(self._ask, send, heard if "stream" in body else None),
                    _guessed(turns, max_tokens),
                    lambda said: said.tokens + said.prompt_tokens,
                )
            except _Refusal as refusal:
                if kind in self._settled and dialect == self._dialect:
                    raise AnswerRefused(f"{self.name} refused one request: {refusal}") from refusal
                # Another thread may have found the dialect while this call was under way.
                found = self._dialect if kind in self._settled else None
                tried = found or step_down(dialect, str(refusal), schema is not None, optional & set(arguments))
                if tried is None:
                    raise self.error(
                        f"{self.name} refuses what it is asked ({refusal}); check the model's name and settings"
                    ) from refusal
                dialect = tried
            else:
                self._dialect = dialect
                self._settled.add(kind)
                return said

    def probe(self, known: str = "") -> str:
        """Find the dialect by a question that costs next to nothing, or take over one `known` from an earlier probe.

        A format counts only if the answer has it: some servers take `response_format` and pass it over.
        """
        if known:
            self._dialect = Dialect.from_text(known)
            self._settled = set(_WHOLE)
            return known
        turns = [{"role": "user", "content": _PROBE}]
        while True:
            said = self.complete(turns, _PROBE_TOKENS, {"temperature": 0.0}, _PROBE_SCHEMA, frozenset({"temperature"}))
            if self._dialect.format == len(FORMATS) - 1 or _shaped(said.text):
                self._settled = set(_WHOLE)
                return self._dialect.to_text()
            self._dialect = replace(self._dialect, format=self._dialect.format + 1)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _only_model(self) -> str:
        names = [model.id for model in self._policy.run(lambda: list(self._call(self._client.models.list)))]
        if len(names) == 1:
            return str(names[0])
        offered = ", ".join(names[:10]) or "none"
        raise self.error(f"{self.url} needs a model's name, which was not given; it offers: {offered}")

    def _ask(self, send: Callable[[], Any], heard: Callable[[str], None] | None) -> Said:
        """One try. What broke off after a part of it was heard is not asked again: it would be another answer."""
        if heard is None:
            return cast(Said, self._call(lambda: read(send())))
        told: list[bool] = []

        def hear(text: str) -> None:
            told.append(True)
            heard(text)

        try:
            return cast(Said, self._call(lambda: gather(send(), hear)))
        except TryAgain as again:
            if not told:
                raise
            raise again.error from again

    def _call(self, call: Callable[[], Any]) -> Any:
        """`call()`; the SDK's exceptions become one sentence each, or `_Refusal` where asking otherwise may help."""
        sdk = self._sdk
        try:
            return call()
        except sdk.APITimeoutError as error:
            raise self._lost(
                f"{self.url} did not answer within {self.timeout:g} s; raise the timeout or ask for less at once"
            ) from error
        except sdk.APIConnectionError as error:
            if "Connect" not in type(error.__cause__).__name__:
                raise self._broken() from error
            raise TryAgain(
                self.error(f"{self.url} cannot be reached; is the server running, and is this its address?"), retries=2
            ) from error
        except sdk.APIStatusError as error:
            found = self._status(error.status_code, self._told(error))
            passing = error.status_code in (408, 409, 429) or error.status_code >= 500
            if passing and not isinstance(found, _Refusal) and error.code != "insufficient_quota":
                raise TryAgain(found, retry_after(error.response.headers)) from error
            raise found from error
        except Unfinished as error:
            raise self._broken() from error
        except Unstreamed as error:
            raise _Refusal("stream is not heeded") from error
        except (sdk.OpenAIError, ValueError) as error:
            if type(error) is sdk.APIError:  # said in the middle of a stream
                raise self._failed(self._told(error)) from error
            raise self._foreign() from error

    def _lost(self, sentence: str) -> Exception:
        return TryAgain(self.error(sentence), retries=2) if self._pay_again else AnswerLost(sentence)

    def _broken(self) -> Exception:
        return self._lost(f"{self.url} broke off before its answer was whole; run the same command again")

    def _status(self, code: int, told: str) -> "PoetuneError | _Refusal":
        if code in (401, 403):
            held = "holds a key that it does not take" if self._key else "is not set"
            return self.error(f"{self.url} asks for a key and {self.key_variable} {held} ({code}: {told})")
        if code == 404:
            return self.error(
                f"{self.url} knows no such model or path ({told}); check the name, and the address, often ending in /v1"
            )
        if code == 429:
            return self.error(
                f"{self.url} says that too much was asked ({told}); wait, then run the same command again"
            )
        if code in (400, 413, 415, 422) or (code in (500, 501) and not self._settled):
            return _Refusal(f"{code}: {told}")
        return self._failed(f"{code}: {told}")

    def _failed(self, told: str) -> PoetuneError:
        return self.error(f"{self.url} failed ({told}); run the same command again once it is well")

    def _told(self, error: Any) -> str:
        """The server's message on one line, at most 200 characters, without the key should it echo it."""
        body = error.body if isinstance(error.body, dict) else {}
        told = " ".join(str(body.get("message") or error.message).split())
        return (told.replace(self._key, "***") if self._key else told)[:200]

    def _foreign(self) -> PoetuneError:
        return self.error(
            f"{self.url} does not answer as a chat endpoint does; check the address, which often ends in /v1"
        )


_WHOLE = ((True, False), (False, False))
_PROBE = 'Which letter comes first in the alphabet, B or A? Answer with one JSON object: {"letter": "..."}.'
_PROBE_TOKENS = 2000  # room for a model that thinks before it speaks
_PROBE_SCHEMA = {
    "type": "object",
    "properties": {"letter": {"type": "string", "enum": ["A", "B"]}},
    "required": ["letter"],
    "additionalProperties": False,
}


def _shaped(text: str) -> bool:
    """Whether an answer to the probe is the JSON that was asked for, after thoughts if there are any."""
    try:
        return "letter" in json.loads(text.rpartition("</think>")[2])
    except (ValueError, TypeError):
        return False


def _guessed(turns: Sequence[Mapping[str, str]], max_tokens: int) -> int:
    """Tokens that a call may take, for limits per minute: three bytes a token, and at most 500 for the answer."""
    return sum(len(turn["content"].encode()) for turn in turns) // 3 + min(max_tokens, 500)


class _Refusal(Exception):  # noqa: N818
    """The server refused a request for its form."""
