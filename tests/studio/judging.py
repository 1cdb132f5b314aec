"""For the tests of judging: a project with poems that nobody had to write, and a server that answers on demand."""

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from poetune.records import Candidate, Model, Prompt, Sampling
from poetune.studio import Studio
from tests.local_server import listening

Answer = tuple[int, dict[str, Any] | bytes] | None  # status and body; None: no answer at all
WORDS = re.findall(r"\w+", "lamp rope quay fog hill coat door kettle rain snow bell road match flame gull harbour")


def poet(folder: Path, poems: int, texts: tuple[str, ...] = ()) -> Path:
    """A project with so many candidates of two models on three themes; `texts` are among them."""
    folder.mkdir(parents=True, exist_ok=True)
    Studio.create(folder, "name: t\nengine: echo\n").close()
    models = [Model("checkpoint", "echo", "starter", name=f"step {i}", run="r", step=i) for i in (100, 200)]
    prompts = [Prompt(theme) for theme in ("rain", "night", "road")]
    chance = random.Random(1)
    found = []
    for i in range(poems):
        model, prompt = models[i % 2].id, prompts[i % 3]
        lines = [" ".join(chance.choices(WORDS, k=5)) for _ in range(chance.randint(3, 9))]
        text = texts[i] if i < len(texts) else "\n".join(lines)
        key = Candidate.cell(model, prompt.id, Sampling(), i)
        found.append(Candidate(key, model, prompt.id, Sampling(), i, text, prompt.theme, "eos", 9))
    with Studio(folder) as studio:
        studio.store.add([*models, *prompts, *found])
    return folder


def says(text: str, tokens: tuple[int, int] = (100, 20)) -> Answer:
    """A chat completion."""
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return 200, {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def refuses(code: int, message: str) -> Answer:
    """An error as servers tell it."""
    return code, {"error": {"message": message, "type": "x", "param": None, "code": None}}


def shown(body: dict[str, Any]) -> dict[str, str]:
    """The poems of a prompt by their labels, read as the fences show them."""
    fence = re.compile(r"<poem-(\w+) ([A-Z])>\n(.*?)\n</poem-\1 \2>", re.DOTALL)
    return {label: text for _, label, text in fence.findall(body["messages"][-1]["content"])}


def by_length(body: dict[str, Any], tokens: tuple[int, int] = (100, 20)) -> Answer:
    """A judge that likes long poems; it answers the probe too."""
    poems = shown(body)
    if not poems:
        return says('{"letter": "A"}')
    return says(json.dumps({"reason": "r", "ranking": sorted(poems, key=lambda key: -len(poems[key]))}), tokens)


@contextmanager
def serving(mood: Callable[[dict[str, Any], int], Answer]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A real server on this machine; `mood(body, number)` answers, the log keeps what was asked."""
    log: list[dict[str, Any]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                log.append({**body, "key": self.headers.get("Authorization")})
                number = len(log)
            answer = mood(body, number)
            if answer is None:
                self.close_connection = True
                return
            code, value = answer
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            with suppress(ConnectionError):  # the client may be gone
                self.send_response(code)
                self.send_header("Content-Type", "text/html" if isinstance(value, bytes) else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(data)

    with listening(Handler) as url:
        yield f"{url}/v1", log
