"""Who may ask: with a key whoever has it, without one programs on this machine; a page of another site never."""

from hmac import compare_digest
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from poetune.web.openai.answers import problem

MOST_BYTES = 1_000_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Door:
    """ASGI middleware: Host and Origin (against pages that resolve to this machine), key, size."""

    def __init__(self, app: ASGIApp, key: str, local: bool) -> None:
        self._app, self._key, self._local = app, key, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, 403 or 413 with a sentence, or hand on."""
        if scope["type"] == "http":
            await (self._refusal(Headers(scope=scope), scope["path"]) or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers, path: str) -> Response | None:
        host = _name(f"//{headers.get('host', '')}")
        if self._local and host not in _LOOPBACK:
            return _refuse("this address is not the one that `poetune serve` printed; use that one", 403)
        origin = headers.get("origin")
        if origin is not None and _name(origin) != host:
            return _refuse("a page of another site may not ask this server", 403)
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if self._key and path != "/health" and not compare_digest(given.encode(), self._key.encode()):
            return _refuse("send the key that the server was given, as a bearer token", 401)
        length = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return _refuse(f"a request is at most {MOST_BYTES:,} bytes and says its length", 413)
        return None


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _refuse(sentence: str, status: int) -> Response:
    return JSONResponse(problem(sentence, "authentication_error" if status == 401 else "invalid_request_error"), status)
