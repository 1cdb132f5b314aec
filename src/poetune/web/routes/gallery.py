"""The gallery of decided poems, their files, and the figures: accept rates and agreement."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from poetune.review.gallery import Filter
from poetune.studio.gallery import ENDINGS, Gallery, Kind
from poetune.web.pages import Pages

PER_PAGE = 30
Word = Annotated[str, StringConstraints(max_length=200)]


class Asked(BaseModel):
    """What an address asks for; a form sends "" for all."""

    model_config = ConfigDict(extra="ignore")

    words: Word = ""
    decision: Literal["accept", "reject"] = "accept"
    model: Word = ""
    template: Word = ""
    language: Word = ""
    round: Annotated[int, Field(ge=0, le=10**6)] | Literal[""] = ""
    reviewer: Word = ""
    reason: Word = ""
    edited: bool = False
    page: Annotated[int, Field(ge=1, le=10**6)] = 1

    def filter(self) -> Filter:
        """The same as the gallery takes it."""
        return Filter(**{**self.model_dump(exclude={"page"}), "round": self.round or 0})

    def query(self, **changed: int) -> str:
        """The address that asks for the same, with some values changed."""
        values = {**self.model_dump(exclude_defaults=True), **changed}
        return urlencode({name: str(value) for name, value in values.items()})


def routes(gallery: Gallery, pages: Pages) -> APIRouter:
    """Both pages over `gallery`."""
    found = APIRouter()

    @found.get("/gallery")
    def page(asked: Annotated[Asked, Query()]) -> Response:
        poems = gallery.find(asked.filter())
        last = max(1, -(-len(poems.entries) // PER_PAGE))
        here = min(asked.page, last)
        shown = poems.entries[(here - 1) * PER_PAGE : here * PER_PAGE]
        return pages.page("gallery", found=poems, shown=shown, asked=asked, here=here, last=last, kinds=list(ENDINGS))

    @found.get("/export/{kind}")
    def export(kind: Kind, asked: Annotated[Asked, Query()]) -> Response:
        text = gallery.export(kind, asked.filter())
        name = f'attachment; filename="poems.{ENDINGS[kind]}"'
        return Response(text.encode(), media_type="application/octet-stream", headers={"Content-Disposition": name})

    @found.get("/figures")
    def figures() -> Response:
        return pages.page("figures", figures=gallery.figures())

    return found
