"""The review page: the next poem, decisions, undo, and what an edit changes."""

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from poetune.studio.desk import Desk
from poetune.web.answers import Body, Identifier, Token, Undo, told
from poetune.web.pages import Pages


class Decide(Body):
    """A decision; `token` is made by the page, and the same token twice is one decision. None = as written."""

    token: Token
    item: Identifier
    action: Literal["accept", "reject", "skip"]
    title: str | None = None
    body: str | None = None
    note: str = ""
    reasons: list[str] = Field(default_factory=list)
    scores: dict[str, int] = Field(default_factory=dict)
    again: bool = False


class Changes(Body):
    """An edit whose difference is to be shown."""

    item: Identifier
    body: str


def routes(desk: Desk, pages: Pages) -> APIRouter:
    """The page over `desk`."""
    found = APIRouter()

    @found.get("/review")
    def page() -> Response:
        return pages.page("review", reviewer=desk.reviewer, asked=desk.asked)

    @found.get("/api/next")
    def next_poem(again: bool = False) -> dict[str, Any]:
        return asdict(desk.current(again))

    @found.post("/api/decide")
    def decide(act: Decide) -> JSONResponse:
        words = act.model_dump(exclude={"token", "item", "action"})
        outcome = desk.decide(act.token, act.item, act.action, **words)
        return told(outcome.status, asdict(outcome.view))

    @found.post("/api/undo")
    def undo(act: Undo) -> JSONResponse:
        outcome = desk.undo(act.token, act.again)
        return told(outcome.status, asdict(outcome.view))

    @found.post("/api/changes")
    def changes(edit: Changes) -> list[dict[str, Any]]:
        return [asdict(line) for line in desk.changes(edit.item, edit.body)]

    return found
