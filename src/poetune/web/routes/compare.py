"""The A/B page: two poems on hidden sides, a vote, undo."""

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from poetune.studio.ballot import Ballots
from poetune.web.answers import Body, Identifier, Token, Undo, told
from poetune.web.pages import Pages


class Choose(Body):
    """A vote; the same token twice is one vote."""

    token: Token
    item: Identifier
    action: Literal["left", "right", "tie", "skip"]
    note: str = ""
    again: bool = False


def routes(ballots: Ballots, pages: Pages) -> APIRouter:
    """The page over `ballots`."""
    found = APIRouter()

    @found.get("/compare")
    def page() -> Response:
        return pages.page("compare", reviewer=ballots.reviewer)

    @found.get("/api/pair")
    def pair(again: bool = False) -> dict[str, Any]:
        return asdict(ballots.current(again))

    @found.post("/api/vote")
    def vote(act: Choose) -> JSONResponse:
        outcome = ballots.vote(act.token, act.item, act.action, act.note, act.again)
        return told(outcome.status, asdict(outcome.view))

    @found.post("/api/unvote")
    def undo(act: Undo) -> JSONResponse:
        outcome = ballots.undo(act.token, act.again)
        return told(outcome.status, asdict(outcome.view))

    return found
