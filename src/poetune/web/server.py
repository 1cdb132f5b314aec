"""Serves the review page on this machine alone, until Ctrl-C."""

import contextlib
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import uvicorn

from poetune.errors import ReviewError
from poetune.studio.desk import Desk
from poetune.web.app import create_app

HOST = "127.0.0.1"


def serve(desk: Desk, port: int, open_browser: bool, on_ready: Callable[[str], None]) -> None:
    """Listen on `port` (0 = any free) until Ctrl-C; `on_ready` gets the URL with the one-time token.

    Raises ReviewError where the port cannot be used.
    """

    def ready(url: str) -> None:
        on_ready(url)
        if open_browser:  # aside, because a text browser would hold the server up
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    with contextlib.suppress(KeyboardInterrupt):
        PageServer(desk, port, ready).run()


class PageServer:
    """A server that is bound, but listens only in `run`; `stop` ends that from another thread."""

    def __init__(self, desk: Desk, port: int, on_ready: Callable[[str], None]) -> None:
        self._socket = bind(port)
        token = secrets.token_urlsafe(24)
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}/?token={token}"
        config = uvicorn.Config(
            create_app(desk, token),
            http="h11",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config, lambda: on_ready(self.url))

    def run(self) -> None:
        """Answer requests until `stop` or a signal; the socket is closed on return."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` end, after the requests in flight."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_ready()


def bind(port: int) -> socket.socket:
    """A socket on the loopback address. Raises ReviewError where the port is taken or not allowed."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would let two servers share the port
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise ReviewError(
            f"Port {port} on this machine cannot be used ({error.strerror}); close the review page that runs there, "
            "or take any free one with `poetune review --port 0`."
        ) from None
    bound.set_inheritable(True)
    return bound
