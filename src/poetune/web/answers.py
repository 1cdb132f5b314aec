"""What every route answers alike: refusals in one sentence, and the bodies that it takes."""

from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException

from poetune.errors import PoetuneError, ReviewError

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_CONFLICTS = {
    "taken": "This was decided before, perhaps in another window; the next one is shown.",
    "nothing": "There is nothing left to undo.",
}


class Body(BaseModel):
    """Unknown keys and other types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Undo(Body):
    """An undo of the latest act that holds."""

    token: Token
    again: bool = False


def told(status: str, view: dict[str, Any]) -> JSONResponse:
    """The answer to an act: what holds now, and 409 with a sentence where nothing was written."""
    if status in _CONFLICTS:
        return JSONResponse({"status": status, **view, "error": _CONFLICTS[status]}, 409)
    return JSONResponse({"status": status, **view})


def refuse_in_sentences(app: FastAPI) -> None:
    """Errors become {"error": sentence}: 422 for what cannot be kept, 503 for a store that cannot be used."""

    @app.exception_handler(PoetuneError)
    def refused(_: Request, error: PoetuneError) -> Response:
        return JSONResponse({"error": str(error)}, 422 if isinstance(error, ReviewError) else 503)

    @app.exception_handler(RequestValidationError)
    def misread(_: Request, __: RequestValidationError) -> Response:
        return JSONResponse({"error": "This request is not one of the page's own; reload the page."}, 422)

    @app.exception_handler(HTTPException)
    def absent(_: Request, error: HTTPException) -> Response:
        sentence = "There is nothing at this address; go to the page's front, /."
        return JSONResponse({"error": sentence}, error.status_code, headers=error.headers)
