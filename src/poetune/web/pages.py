"""HTML from the templates of this package (every value is escaped), and the files that it names, all from here."""

from importlib import resources
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from poetune.web.faces import Faces

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_LANGUAGES = {"zh": "zh-Hans", "en": "en"}


def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("poetune.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["lang"] = lambda language: _LANGUAGES.get(language, "")
    found.filters["percent"] = lambda share: f"{100 * share:.0f}"
    return found


_TEMPLATES = _environment()


class Pages:
    """Renders templates with the links that these faces have."""

    def __init__(self, faces: Faces) -> None:
        self._links = faces.pages()

    def page(self, name: str, **values: Any) -> Response:
        """The page `name`.html."""
        text = _TEMPLATES.get_template(f"{name}.html").render(page=name, links=self._links, **values)
        return HTMLResponse(text)


def static_files() -> APIRouter:
    """The package's own style sheets and scripts, read once: what a client asks for is a key here, never a path."""
    routes = APIRouter()
    files: dict[str, tuple[bytes, str]] = {}
    for item in resources.files("poetune.web").joinpath("static").iterdir():
        kind = _TYPES.get(item.name[item.name.rfind(".") :])
        if kind and item.is_file():
            files[item.name] = (item.read_bytes(), kind)

    @routes.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        content, kind = files[name]
        return Response(content, media_type=kind)

    return routes
