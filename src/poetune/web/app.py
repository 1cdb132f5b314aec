"""The review page and its five answers, over a desk. Nothing here decides about a poem or touches the database."""

from dataclasses import asdict
from importlib import resources
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException

from poetune.errors import PoetuneError, ReviewError
from poetune.review.view import Outcome
from poetune.studio.desk import Desk
from poetune.web.access import Access

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_CONFLICTS = {
    "taken": "This poem was decided before, perhaps in another window; the next one is shown.",
    "nothing": "There is nothing left to undo.",
}


class Body(BaseModel):
    """Unknown keys and other types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Decide(Body):
    """A decision; `token` is made by the page, and the same token twice is one decision. None = as written."""

    token: Token
    item: Identifier
    action: Literal["accept", "reject", "skip"]
    title: str | None = None
    body: str | None = None
    note: str = ""
    reasons: list[str] = []
    scores: dict[str, int] = {}
    again: bool = False


class Undo(Body):
    """An undo of the latest act that holds."""

    token: Token
    again: bool = False


class Changes(Body):
    """An edit whose difference is to be shown."""

    item: Identifier
    body: str


def create_app(desk: Desk, token: str) -> FastAPI:
    """The page over `desk`; `token` in the URL lets one browser in, once."""
    app = FastAPI(title="poetune review", docs_url=None, redoc_url=None, openapi_url=None)
    files = _files()

    @app.get("/")
    def page() -> Response:
        return static("page.html")

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        content, kind = files[name]
        return Response(content, media_type=kind)

    @app.get("/api/next")
    def next_poem(again: bool = False) -> dict[str, Any]:
        return asdict(desk.current(again))

    @app.post("/api/decide")
    def decide(act: Decide) -> JSONResponse:
        words = act.model_dump(include={"title", "body", "note", "reasons", "scores", "again"})
        return _told(desk.decide(act.token, act.item, act.action, **words))

    @app.post("/api/undo")
    def undo(act: Undo) -> JSONResponse:
        return _told(desk.undo(act.token, act.again))

    @app.post("/api/changes")
    def changes(edit: Changes) -> list[dict[str, Any]]:
        return [asdict(line) for line in desk.changes(edit.item, edit.body)]

    @app.exception_handler(PoetuneError)
    def refused(_: Request, error: PoetuneError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 422 if isinstance(error, ReviewError) else 503)

    @app.exception_handler(RequestValidationError)
    def misread(_: Request, __: RequestValidationError) -> JSONResponse:
        return JSONResponse({"error": "This request is not one of the page's own; reload the page."}, 422)

    @app.exception_handler(HTTPException)
    def absent(_: Request, error: HTTPException) -> JSONResponse:
        sentence = "There is nothing at this address; go to the page's front, /."
        return JSONResponse({"error": sentence}, error.status_code, headers=error.headers)

    app.add_middleware(Access, token=token)
    return app


def _told(outcome: Outcome) -> JSONResponse:
    answer = {"status": outcome.status, **asdict(outcome.view)}
    if outcome.status in _CONFLICTS:
        return JSONResponse({**answer, "error": _CONFLICTS[outcome.status]}, 409)
    return JSONResponse(answer)


def _files() -> dict[str, tuple[bytes, str]]:
    """The page's own files by name, read once: what a client asks for is a key here, never a path."""
    found = {}
    for item in resources.files("poetune.web").joinpath("static").iterdir():
        kind = _TYPES.get(item.name[item.name.rfind(".") :])
        if kind and item.is_file():
            found[item.name] = (item.read_bytes(), kind)
    return found
