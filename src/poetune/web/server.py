"""Serves the pages until Ctrl-C: on this machine alone, where no other address is asked for."""

import contextlib
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping

import uvicorn
from starlette.types import ASGIApp

from poetune.errors import ReviewError
from poetune.web.app import create_app
from poetune.web.faces import Faces

HOST = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - only where --host asks for it


def serve(faces: Faces, port: int, open_browser: bool, on_ready: Callable[[str], None], host: str = HOST) -> None:
    """Listen on `port` (0 = any free) until Ctrl-C; `on_ready` gets the URL with the one-time token.

    Raises ReviewError where the port cannot be used.
    """

    def ready(url: str) -> None:
        on_ready(url)
        if open_browser:  # aside, because a text browser would hold the server up
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    with contextlib.suppress(KeyboardInterrupt):
        PageServer(faces, port, ready, host).run()


class PageServer:
    """A server that is bound, but listens only in `run`; `stop` ends that from another thread."""

    def __init__(self, faces: Faces, port: int, on_ready: Callable[[str], None], host: str = HOST) -> None:
        self._socket = bind(port, host)
        token = secrets.token_urlsafe(24)
        name = socket.gethostname() if host in EVERYWHERE else f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._socket.getsockname()[1]}/?token={token}"
        self._server = Listening(create_app(faces, token, host), lambda: on_ready(self.url))

    def run(self) -> None:
        """Answer requests until `stop` or a signal; the socket is closed on return."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` end, after the requests in flight."""
        self._server.should_exit = True


class Listening(uvicorn.Server):
    """A silent server over sockets that are bound already; what is under way at the end has `grace` seconds."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None], grace: int = 2) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=grace,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, then say that it listens."""
        await super().startup(sockets=sockets)
        self._on_ready()


def bind(port: int, host: str = HOST, command: str = "review") -> socket.socket:
    """A listening socket. Raises ReviewError where the port is taken, or port or address cannot be had."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would let two servers share the port
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise ReviewError(
            f"Port {port} on {'this machine' if host == HOST else host} cannot be used ({error.strerror or error}); "
            f"close what runs there, or take any free one with `poetune {command} --port 0`."
        ) from None
    bound.set_inheritable(True)
    return bound


def tunnel(port: int, environment: Mapping[str, str]) -> str:
    """The command that brings this port to the reader's own machine, where this one is used by ssh; else ""."""
    parts = environment.get("SSH_CONNECTION", "").split()
    if len(parts) != 4:
        return ""
    user = environment.get("USER") or environment.get("LOGNAME") or ""
    at = f"{user}@{parts[2]}" if user else parts[2]
    return f"ssh{'' if parts[3] == '22' else f' -p {parts[3]}'} -L {port}:{HOST}:{port} {at}"
