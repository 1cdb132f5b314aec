"""Any OpenAI-compatible server: a Chat for judges that read, and a Generator without scores."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import islice
from typing import Any

from poetune.backends.chatting import Hearing, messages, settings, spared, written
from poetune.backends.connection import Server
from poetune.backends.policy import USUAL, Limits
from poetune.errors import AnswerRefused, EngineError, JudgeError, PoetuneError
from poetune.ports import Capabilities, Reply, Request, Score, ScoreRequest, Weights, Written
from poetune.records import Conversation


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
        limits: Limits = USUAL,
    ) -> None:
        self._server = Server(base_url, model, key_variable, timeout, JudgeError, limits, pay_again=False)
        self.max_tokens = max_tokens
        self.name = self._server.name
        self.model = self._server.model

    def probe(self, known: str = "") -> str:
        """Settle how the server is asked; the text it returns spares the next run the question."""
        return self._server.probe(known)

    def ask(self, system: str, user: str, schema: Mapping[str, Any] | None = None) -> Reply:
        """The answer at temperature 0, shaped by `schema` as far as the server can."""
        turns = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        greedy = {"temperature": 0.0}
        said = self._server.complete(turns, self.max_tokens, greedy, schema, frozenset(greedy))
        return Reply(said.text, said.prompt_tokens, said.tokens)

    def close(self) -> None:
        """Let the connections go."""
        self._server.close()


class EndpointEngine:
    """A Generator over servers: `weights.base` is a URL, `weights.adapter` the name of a model or an adapter there
    (`model` where there is none). It can neither score nor render.

    White space that a template puts before the poem cannot be sent; an opening is asked for in words.
    """

    capabilities = Capabilities("endpoint", generates=True)

    def __init__(
        self,
        batch: int = 4,
        model: str = "",
        key_variable: str = "OPENAI_API_KEY",
        timeout: float = 120.0,
        limits: Limits = USUAL,
    ) -> None:
        self._at_once = max(1, min(batch, limits.concurrency))
        self._model = model
        self._open = partial(Server, key_variable=key_variable, timeout=timeout, error=EngineError, limits=limits)
        self._servers: dict[Weights, Server] = {}

    def render(self, weights: Weights, conversation: Conversation) -> list[int]:  # noqa: ARG002
        """Refused: the server keeps its tokenizer to itself."""
        raise EngineError(f"the endpoint {weights.base} cannot show token ids; use a local engine for that")

    def room(self, weights: Weights, conversation: Conversation) -> int | None:  # noqa: ARG002
        """Not known here: the server says so itself."""
        return None

    def score(self, requests: Sequence[ScoreRequest]) -> list[Score]:
        """Refused: chat servers don't give likelihoods of a given text."""
        where = requests[0].weights.base if requests else "asked"
        raise EngineError(f"the endpoint {where} cannot score likelihoods; use a local engine for that")

    def generate(self, requests: Iterable[Request]) -> Iterator[Written]:
        """Write poems, up to `batch` (at most the limits' concurrency) at a time, each yielded as it is done.

        A poem that the server alone refused (its content filter, say) is empty with stop `error`. Where one fails,
        those on their way are still yielded before the failure is raised.
        """
        waiting = iter(requests)
        failed: BaseException | None = None
        with ThreadPoolExecutor(self._at_once) as pool:
            running: set[Future[Written]] = set()
            try:
                while True:
                    try:
                        for request in islice(waiting, 0 if failed else self._at_once - len(running)):
                            running.add(pool.submit(_write, self._server(request), request))
                    except PoetuneError as error:
                        failed = error
                    if not running:
                        break
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        if future.exception() is None:
                            yield future.result()
                        failed = failed or future.exception()
            finally:
                for future in running:
                    future.cancel()
        if failed:
            raise failed

    def close(self) -> None:
        """Let the connections go."""
        for server in self._servers.values():
            server.close()

    def _server(self, request: Request) -> Server:
        """The server of a request, refused by name if it asks what a chat server can't do."""
        url, sampling = request.weights.base, request.sampling
        wants = {
            "literal prompts": request.conversation.raw,
            "beams": sampling.beams > 1,
            "no_repeat_ngram": sampling.no_repeat_ngram,
        }
        for what, wanted in wants.items():
            if wanted:
                raise EngineError(f"the endpoint {url} has no {what}; use a local engine or leave the setting out")
        if request.weights not in self._servers:
            self._servers[request.weights] = self._open(url, request.weights.adapter or self._model)
        return self._servers[request.weights]


def _write(server: Server, request: Request) -> Written:
    sampling, hearing = request.sampling, Hearing(request)
    try:
        said = server.complete(
            messages(request.conversation),
            sampling.max_tokens,
            settings(sampling, request.seed),
            optional=spared(sampling),
            heard=hearing.grown if request.heard else None,
        )
    except AnswerRefused:
        return Written(request.id, "", "error", 0)
    poem = written(request, said.text, said.finish, said.tokens)
    hearing.tell(poem.text)
    return poem
