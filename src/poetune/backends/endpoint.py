"""Any OpenAI-compatible server: a Chat for judges that read, and a Generator without scores."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from poetune.backends.chatting import messages, settings, written
from poetune.backends.dialect import Dialect, address, request_body, step_down
from poetune.errors import AnswerRefused, EngineError, JudgeError, PoetuneError
from poetune.ports import Capabilities, Request, Score, ScoreRequest, Weights, Written
from poetune.records import Conversation


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, why it ended (`stop`, `length`, `refusal`, ...) and its tokens, 0 where they aren't told."""

    text: str
    finish: str
    tokens: int


class Server:
    """One server and model. Its dialect is found at the first call by stepping down, and kept once a call succeeds.

    Connection errors, 408, 409, 429 and 5xx are tried again by the SDK's policy (`retries`, waiting ever longer).
    """

    def __init__(
        self, url: str, model: str, key_variable: str, timeout: float, retries: int, error: type[PoetuneError]
    ) -> None:
        self.url, self.timeout, self.error, self.key_variable = address(url, error), timeout, error, key_variable
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
            api_key=self._key or "none", base_url=self.url, timeout=timeout, max_retries=retries, http_client=http
        )
        self._dialect = Dialect()
        self._settled: set[bool] = set()  # whether a call with, without a schema has succeeded
        self.model = model or self._only_model()
        self.name = f"{self.model} at {urlsplit(self.url).netloc}"

    def complete(
        self,
        turns: Sequence[Mapping[str, str]],
        max_tokens: int,
        arguments: Mapping[str, Any],
        schema: Mapping[str, Any] | None = None,
        optional: frozenset[str] = frozenset(),
    ) -> Said:
        """One answer. `optional` names arguments that may be left out where the server refuses them."""
        dialect, shaped = self._dialect, schema is not None
        while True:
            body = request_body(dialect, self.model, turns, max_tokens, arguments, schema)
            try:
                said = self._answer(self._call(partial(cast(Any, self._client.chat.completions.create), **body)))
            except _Refusal as refusal:
                if shaped in self._settled and dialect == self._dialect:
                    raise AnswerRefused(f"{self.name} refused one request: {refusal}") from refusal
                # Another thread may have found the dialect while this call was under way.
                found = self._dialect if shaped in self._settled else None
                tried = found or step_down(dialect, str(refusal), shaped, optional & set(arguments))
                if tried is None:
                    raise self.error(
                        f"{self.name} refuses what it is asked ({refusal}); check the model's name and settings"
                    ) from refusal
                dialect = tried
            else:
                self._dialect = dialect
                self._settled.add(shaped)
                return said

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _only_model(self) -> str:
        names = [model.id for model in self._call(self._client.models.list)]
        if len(names) == 1:
            return str(names[0])
        offered = ", ".join(names[:10]) or "none"
        raise self.error(f"{self.url} needs a model's name, which was not given; it offers: {offered}")

    def _call(self, call: Callable[[], Any]) -> Any:
        """`call()`; the SDK's exceptions become one sentence each, or `_Refusal` where asking otherwise may help."""
        sdk = self._sdk
        try:
            return call()
        except sdk.APITimeoutError as error:
            raise self.error(
                f"{self.url} did not answer within {self.timeout:g} s; raise the timeout or ask for less at once"
            ) from error
        except sdk.APIConnectionError as error:
            raise self.error(
                f"{self.url} cannot be reached; is the server running, and is this its address?"
            ) from error
        except sdk.APIStatusError as error:
            raise self._status(error.status_code, self._told(error)) from error
        except (sdk.OpenAIError, ValueError) as error:
            raise self._foreign() from error

    def _status(self, code: int, told: str) -> Exception:
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
        return self.error(f"{self.url} failed ({code}: {told}); run the same command again once it is well")

    def _told(self, error: Any) -> str:
        """The server's message on one line, at most 200 characters, without the key should it echo it."""
        body = error.body if isinstance(error.body, dict) else {}
        told = " ".join(str(body.get("message") or error.message).split())
        return (told.replace(self._key, "***") if self._key else told)[:200]

    def _foreign(self) -> PoetuneError:
        return self.error(
            f"{self.url} does not answer as a chat endpoint does; check the address, which often ends in /v1"
        )

    def _answer(self, answer: object) -> Said:
        choices = getattr(answer, "choices", None)
        if not choices:
            raise self._foreign()
        message = choices[0].message
        text, refusal = getattr(message, "content", None) or "", getattr(message, "refusal", None) or ""
        tokens = getattr(getattr(answer, "usage", None), "completion_tokens", 0) or 0
        # Half characters, which JSON can carry, can neither be stored nor printed.
        whole = str(text or refusal).encode("utf-8", "replace").decode("utf-8")
        return Said(whole, "refusal" if refusal and not text else choices[0].finish_reason or "", tokens)


class _Refusal(Exception):  # noqa: N818
    """The server refused a request for its form."""


class EndpointChat:
    """A Chat over a server: `http://host:port/v1`, a model's name ("" where it has only one), a key's variable.

    The key is read from the environment alone. Raises JudgeError where the server can't be used.
    """

    def __init__(
        self,
        base_url: str,
        model: str = "",
        key_variable: str = "OPENAI_API_KEY",
        timeout: float = 60.0,
        max_tokens: int = 4000,
        retries: int = 2,
    ) -> None:
        self._server = Server(base_url, model, key_variable, timeout, retries, JudgeError)
        self._max_tokens = max_tokens
        self.name = self._server.name

    def ask(self, system: str, user: str, schema: Mapping[str, Any] | None = None) -> str:
        """The answer's text at temperature 0, shaped by `schema` as far as the server can."""
        turns = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        greedy = {"temperature": 0.0}
        return self._server.complete(turns, self._max_tokens, greedy, schema, frozenset(greedy)).text

    def close(self) -> None:
        """Let the connections go."""
        self._server.close()


class EndpointEngine:
    """A Generator over a server; `weights.base` is its URL. It can neither score nor render, and has no adapters.

    White space that a template puts before the poem cannot be sent; an opening is asked for in words.
    """

    capabilities = Capabilities("endpoint", generates=True)

    def __init__(
        self,
        batch: int = 4,
        model: str = "",
        key_variable: str = "OPENAI_API_KEY",
        timeout: float = 120.0,
        retries: int = 2,
    ) -> None:
        self._at_once = max(1, min(batch, 8))
        self._open = partial(
            Server, model=model, key_variable=key_variable, timeout=timeout, retries=retries, error=EngineError
        )
        self._servers: dict[str, Server] = {}

    def render(self, weights: Weights, conversation: Conversation) -> list[int]:  # noqa: ARG002
        """Refused: the server keeps its tokenizer to itself."""
        raise EngineError(f"the endpoint {weights.base} cannot show token ids; use a local engine for that")

    def score(self, requests: Sequence[ScoreRequest]) -> list[Score]:
        """Refused: chat servers don't give likelihoods of a given text."""
        where = requests[0].weights.base if requests else "asked"
        raise EngineError(f"the endpoint {where} cannot score likelihoods; use a local engine for that")

    def generate(self, requests: Iterable[Request]) -> Iterator[Written]:
        """Write poems, up to `batch` (at most 8) at a time, each yielded as it is done.

        A poem that the server alone refused (its content filter, say) is empty with stop `error`.
        """
        with ThreadPoolExecutor(self._at_once) as pool:
            running: set[Future[Written]] = set()
            try:
                for request in requests:
                    running.add(pool.submit(_write, self._server(request), request))
                    if len(running) >= self._at_once:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from [future.result() for future in done]
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from [future.result() for future in done]
            finally:
                for future in running:
                    future.cancel()

    def close(self) -> None:
        """Let the connections go."""
        for server in self._servers.values():
            server.close()

    def _server(self, request: Request) -> Server:
        """The server of a request, refused by name if it asks what a chat server can't do."""
        url, sampling = request.weights.base, request.sampling
        wants = {
            "adapters": request.weights.adapter,
            "literal prompts": request.conversation.raw,
            "beams": sampling.beams > 1,
            "no_repeat_ngram": sampling.no_repeat_ngram,
        }
        for what, wanted in wants.items():
            if wanted:
                raise EngineError(f"the endpoint {url} has no {what}; use a local engine or leave the setting out")
        if url not in self._servers:
            self._servers[url] = self._open(url)
        return self._servers[url]


def _write(server: Server, request: Request) -> Written:
    sent = settings(request.sampling, request.seed)
    try:
        said = server.complete(
            messages(request.conversation), request.sampling.max_tokens, sent, optional=frozenset({"seed"})
        )
    except AnswerRefused:
        return Written(request.id, "", "error", 0)
    return written(request, said.text, said.finish, said.tokens)
