"""The pages and their answers, over desks. Nothing here decides about a poem or touches the database."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from poetune.web.access import Access
from poetune.web.answers import refuse_in_sentences
from poetune.web.faces import Faces
from poetune.web.pages import Pages, static_files
from poetune.web.routes import compare, gallery, review, write


def create_app(faces: Faces, token: str, host: str = "127.0.0.1") -> FastAPI:
    """The pages over `faces`; `token` in the URL lets one browser in, once. `host` is where the server listens."""
    app = FastAPI(title="poetune review", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages(faces)
    front = faces.pages()[0][0]

    @app.get("/")
    def first() -> Response:
        return RedirectResponse(front, status_code=303)

    app.include_router(static_files())
    if faces.desk is not None:
        app.include_router(review.routes(faces.desk, pages))
    if faces.ballots is not None:
        app.include_router(compare.routes(faces.ballots, pages))
    if faces.gallery is not None:
        app.include_router(gallery.routes(faces.gallery, pages))
    if faces.pen is not None:
        app.include_router(write.routes(faces.pen, pages))
    refuse_in_sentences(app)
    app.add_middleware(Access, token=token, host=host)
    return app
