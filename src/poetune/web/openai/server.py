"""Serves the endpoint until Ctrl-C; poems that are being written then are written to their end."""

import contextlib
from collections.abc import Callable

from poetune.errors import EngineError
from poetune.web.openai.app import Poet, create_app
from poetune.web.server import HOST, Listening, bind

GRACE = 30  # seconds


def serve(poet: Poet, port: int, on_ready: Callable[[str], None], host: str = HOST, key: str = "") -> None:
    """Listen on `port` (0 = any free) until Ctrl-C; `on_ready` gets the base URL for clients.

    Raises ReviewError where the port cannot be used, EngineError for another address than this machine's without a key.
    """
    local = host in (HOST, "localhost", "::1")
    if not (local or key):
        raise EngineError(
            f"on {host} anyone who reaches this machine could use the poet; put a key into the variable that "
            "--key-variable names"
        )
    bound = bind(port, host, "serve")
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{bound.getsockname()[1]}/v1"
    try:
        with contextlib.suppress(KeyboardInterrupt):
            Listening(create_app(poet, key, local), lambda: on_ready(url), GRACE).run(sockets=[bound])
    finally:
        poet.queue.close(GRACE)
