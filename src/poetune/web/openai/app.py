"""The routes: models, chat completions, completions. Nothing here touches the engine or the database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi import Request as Call
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from poetune.errors import EngineError
from poetune.ports import Request, Written
from poetune.records import Sampling
from poetune.studio.serving import Busy, Event, Queue, Served
from poetune.web.openai.answers import Answer, event, finish, problem
from poetune.web.openai.asked import Asked, Chat, Completion
from poetune.web.openai.door import Door


@dataclass(frozen=True, slots=True)
class Poet:
    """What is served: models by name, the queue, the recipe's sampling and the longest poem in tokens."""

    served: Served
    queue: Queue
    usual: Sampling
    most_tokens: int = 2048


def create_app(poet: Poet, key: str = "", local: bool = True) -> FastAPI:
    """The endpoint; with `key`, a client must send it; `local` lets in this machine's own addresses only."""
    app = FastAPI(title="poetune serve", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [_card(name) for name in poet.served.weights]}

    @app.get("/v1/models/{name:path}")
    def model(name: str) -> JSONResponse:
        if name not in poet.served.weights:
            return _unknown(poet.served, name)
        return JSONResponse(_card(name))

    @app.post("/v1/chat/completions")
    async def chat(asked: Chat, call: Call) -> Response:
        return await _write(poet, asked, call, chat=True)

    @app.post("/v1/completions")
    async def complete(asked: Completion, call: Call) -> Response:
        return await _write(poet, asked, call, chat=False)

    @app.exception_handler(RequestValidationError)
    def misread(_: Call, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
        return JSONResponse(problem(f"{where}: {first['msg']}"), 400)

    @app.exception_handler(HTTPException)
    def absent(call: Call, error: HTTPException) -> JSONResponse:
        served = "/v1/models, /v1/chat/completions and /v1/completions"
        sentence = f"{call.method} {call.url.path} is not served here; {served} are"
        return JSONResponse(problem(sentence), error.status_code, headers=error.headers)

    app.add_middleware(Door, key=key, local=local)
    return app


async def _write(poet: Poet, asked: Asked, call: Call, chat: bool) -> Response:
    try:
        weights = poet.served.find(asked.model)
    except EngineError:
        return _unknown(poet.served, asked.model)
    try:
        requests = asked.requests(weights, poet.usual, poet.most_tokens)
    except EngineError as error:
        return JSONResponse(problem(str(error)), 400)
    told = _Told(poet.queue)
    try:
        told.ask(requests)
    except Busy as error:
        return JSONResponse(problem(str(error), "rate_limit_error", "busy"), 429, headers={"Retry-After": "2"})
    watch = asyncio.create_task(_cancel_when_gone(call, told)) if not asked.stream else None
    first = await told.next()
    answer = Answer(asked.model or "best", chat)
    if first.kind == "failed":
        return _failed(first)
    if asked.stream:
        counts = asked.stream_options is not None and asked.stream_options.include_usage
        return StreamingResponse(
            _stream(answer, told, len(requests), first.tokens, counts), media_type="text/event-stream"
        )
    poems: dict[int, Written] = {}
    while len(poems) < len(requests):
        heard = await told.next()
        if heard.kind == "failed":
            return _failed(heard)
        if heard.written is not None:
            poems[heard.place] = heard.written
    if watch is not None:
        watch.cancel()
    if poems[0].stop == "error":
        return JSONResponse(problem(_too_long(first.tokens), code="context_length_exceeded"), 400)
    return JSONResponse(answer.whole([poems[i] for i in range(len(requests))], first.tokens))


async def _stream(answer: Answer, told: "_Told", count: int, prompt_tokens: int, counts: bool) -> AsyncIterator[str]:
    sent = [""] * count
    poems: dict[int, Written] = {}
    try:
        for place in range(count):
            yield answer.chunk(place, "" if answer.chat else None, first=True)
        while len(poems) < count:
            heard = await told.next()
            if heard.kind == "failed":
                yield event(problem(heard.error, "server_error"))
                return
            place, text = heard.place, heard.written.text if heard.written else heard.text
            if len(text) > len(sent[place]):
                yield answer.chunk(place, text[len(sent[place]) :])
                sent[place] = text
            if heard.written is not None:
                poems[place] = heard.written
                if heard.written.stop == "error":
                    yield event(problem(_too_long(prompt_tokens), code="context_length_exceeded"))
                    return
                yield answer.chunk(place, None, finish(heard.written))
        if counts:
            yield answer.counted(list(poems.values()), prompt_tokens)
        yield "data: [DONE]\n\n"
    finally:
        told.cancel()


class _Told:
    """Events of one order, brought from the writing thread into this loop."""

    def __init__(self, queue: Queue) -> None:
        self._queue, self._loop = queue, asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self.cancel: Callable[[], None] = lambda: None

    def ask(self, requests: list[Request]) -> None:
        self.cancel = self._queue.put(requests, self._tell).cancel

    async def next(self) -> Event:
        return await self._events.get()

    def _tell(self, heard: Event) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._events.put_nowait, heard)


async def _cancel_when_gone(call: Call, told: _Told) -> None:
    while not await call.is_disconnected():
        await asyncio.sleep(0.5)
    told.cancel()


def _card(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "poetune"}


def _unknown(served: Served, name: str) -> JSONResponse:
    sentence = f"there is no model {name!r} here; those that are: {', '.join(served.weights)}"
    return JSONResponse(problem(sentence, code="model_not_found"), 404)


def _failed(heard: Event) -> JSONResponse:
    return JSONResponse(
        problem(heard.error, "server_error" if heard.fault else "invalid_request_error"), 503 if heard.fault else 400
    )


def _too_long(tokens: int) -> str:
    return f"the prompt is {tokens} tokens, which leaves no room in the model's context; shorten it"
