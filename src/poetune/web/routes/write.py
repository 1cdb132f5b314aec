"""The writing desk: a theme or a first line, several poems, one line anew."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field, StringConstraints

from poetune.studio.penning import FORMS, MOST, Pen
from poetune.web.answers import Body, Identifier
from poetune.web.pages import Pages

Short = Annotated[str, StringConstraints(max_length=500)]
Text = Annotated[str, StringConstraints(max_length=20_000)]
Count = Annotated[int, Field(ge=1, le=MOST)]


class Wish(Body):
    """Poems on a theme, or from a first line."""

    theme: Short = ""
    first_line: Short = ""
    form: Identifier = "free"
    count: Count = 1
    model: Identifier = "best"


class Line(Body):
    """One line of a poem anew; `line` counts those that hold something, from 1."""

    theme: Short = ""
    text: Text
    line: Annotated[int, Field(ge=1, le=1000)]
    count: Count = 5
    model: Identifier = "best"


def routes(pen: Pen, pages: Pages) -> APIRouter:
    """The page over `pen`."""
    found = APIRouter()

    @found.get("/write")
    def page() -> Response:
        return pages.page("write", models=pen.models, forms=list(FORMS), verse=pen.verse, most=MOST)

    @found.post("/api/write")
    def write(wish: Wish) -> dict[str, Any]:
        poems = pen.poems(wish.theme, wish.first_line, wish.form, wish.count, wish.model)
        return {"poems": [asdict(poem) for poem in poems]}

    @found.post("/api/line")
    def line(asked: Line) -> dict[str, Any]:
        return {"texts": pen.lines(asked.theme, asked.text, asked.line, asked.count, asked.model)}

    return found
