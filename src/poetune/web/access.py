"""Who may come in: a one-time token in the URL becomes a cookie; Host and Origin must be this server's own.

The checks stand before the application, so that no route can be reached without them: a foreign name that resolves to
this machine (DNS rebinding) fails at Host, a foreign page at Origin and at the SameSite=Strict cookie.
"""

import re
import secrets
import socket
from collections.abc import Iterable
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from threading import Lock
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::(?P<port>[0-9]{1,5}))?")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MOST_BYTES = 1_000_000
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Access:
    """ASGI middleware. `token` opens once; the cookie it is changed for lasts as long as this server.

    `host` is the address that the server listens on; names of this machine count only where it is not the loopback's.
    """

    def __init__(self, app: ASGIApp, token: str, host: str = "127.0.0.1") -> None:
        self._app = app
        self._open = host != "127.0.0.1"
        self._token: str | None = token
        self._cookie = secrets.token_urlsafe(32)
        self._lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 with a sentence, or hand on; every answer carries the security headers."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if scope["type"] != "http":  # nothing here speaks websocket; the server runs without lifespan
            return
        answer = self._door(scope)
        await (answer or self._app)(scope, receive, guarded)

    def _door(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        port = scope["server"][1]
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._own(host, *scope["server"]):
            return _refuse("This address is not the one that `poetune review` printed; open that one.")
        origin = headers.get("origin")
        if origin != f"http://{host}" and not (origin is None and scope["method"] in ("GET", "HEAD")):
            return _refuse("This request came from another page; use the page that `poetune review` opened.")
        if headers.get("sec-fetch-site", "none") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return _refuse("This request came from another page; use the page that `poetune review` opened.")
        name = f"poetune_{port}"  # cookies know no ports: two projects open at once would take each other's
        known = _matches(_cookies(headers.getlist("cookie"), name), self._cookie)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if given and scope["path"] == "/" and scope["method"] == "GET":
            if not known and not self._spend(given[0]):
                return _refuse("This link was used before or is not this server's; run `poetune review` for a new one.")
            answer = RedirectResponse("/", status_code=303)
            if not known:
                answer.set_cookie(name, self._cookie, path="/", httponly=True, samesite="strict")
            return answer
        if not known:
            return _refuse("This page needs the link that `poetune review` prints; open that link in this browser.")
        length = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return _refuse("This is too long to be a poem; shorten it and send it again.", 413)
        return None

    def _own(self, host: str, address: str, port: int) -> bool:
        """Whether a Host is this server's. A loopback name counts with any port: a tunnel may begin at another one."""
        found = _HOST.fullmatch(host)
        if found is None or found["name"] in LOOPBACK:
            return found is not None
        machine = {address, f"[{address}]", socket.gethostname(), socket.getfqdn()} if self._open else set()
        return found["name"] in machine and int(found["port"] or 80) == port

    def _spend(self, given: str) -> bool:
        with self._lock:
            if self._token is None or not _same(given, self._token):
                return False
            self._token = None
            return True


def _cookies(headers: Iterable[str], name: str) -> list[str]:
    found = []
    for header in headers:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(header)
        except CookieError:
            continue
        if name in jar:
            found.append(jar[name].value)
    return found


def _matches(given: Iterable[str], secret: str) -> bool:
    return any(_same(value, secret) for value in given)


def _same(given: str, secret: str) -> bool:
    return compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _refuse(sentence: str, status: int = 403) -> Response:
    return PlainTextResponse(sentence + "\n", status_code=status)
