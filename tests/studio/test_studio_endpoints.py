"""Servers as writers: beside checkpoints, alone, and one that dies half-way."""

import importlib.util
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from poetune.errors import EngineError, RecipeError
from poetune.records import Candidate, Model
from poetune.store.queries import candidates
from poetune.studio import Studio
from poetune.studio.starter import base_folder
from tests.local_server import listening

SMALL = [
    "finetune.steps=4",
    "finetune.checkpoint_every=4",
    "generate.templates=[plain.v1, airy.v1]",
    "generate.max_tokens=30",
    "generate.serving.retries=0",
    "generate.serving.concurrency=1",
]


@contextmanager
def serving(answer: Callable[[int, str], str | int]) -> Iterator[str]:
    """A server; `answer` gives the text of each poem by its number and the model asked for, or a status."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body["model"])
            said = answer(len(asked), body["model"])
            message = {"role": "assistant", "content": said}
            whole = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
            data = json.dumps(whole if isinstance(said, str) else {"error": {"message": "no"}}).encode()
            with suppress(ConnectionError):
                self.send_response(200 if isinstance(said, str) else said)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

    with listening(Handler) as url:
        yield f"{url}/v1"


def test_servers_and_adapters_there_are_models_beside_the_checkpoints(project: Path) -> None:
    with serving(lambda number, model: f"poem {number}\nby {model}") as url:
        served = f"generate.endpoints=['{url}#one', '{url}#two']"
        with Studio(project, [*SMALL, served, "generate.themes=[rain, salt]"]) as studio:
            studio.finetune()
            filled = studio.generate()
            assert (filled.models, filled.written) == (3, 12)
            assert studio.generate().written == 0
            names = {model.id: model.name for model in studio.store.all(Model)}
            found = candidates(studio.store, 1)
            by_server = [c for c in found if c.text.startswith("poem")]
            assert len(by_server) == 8
            assert all(c.text.endswith(f"by {names[c.model]}") for c in by_server)
            assert [row.model for row in filled.gates] == ["step 4"] * 2 + ["one"] * 2 + ["two"] * 2
            assert studio.judge().poems == 12
            assert len(studio.judge().best) > 0


def test_a_server_that_dies_half_way_leaves_its_poems_and_the_same_command_goes_on(project: Path) -> None:
    alive = {"until": 3}
    with serving(lambda number, model: f"poem {number}" if number <= alive["until"] else 503) as url:
        settings = [*SMALL, f"generate.endpoints=['{url}#m']", "generate.themes=[rain, salt, fog]", "engine=echo"]
        with Studio(project, settings) as studio:
            with pytest.raises(EngineError, match=r"failed \(503.*run the same command again"):
                studio.generate()
            assert studio.store.count(Candidate) == 3
            alive["until"] = 99
            assert studio.generate().written == 3


def test_a_wrong_address_is_said_before_anything_is_asked(project: Path) -> None:
    with pytest.raises(RecipeError, match="'localhost:80' is no server"):
        Studio(project, ["generate.endpoints=['localhost:80']"])
    nobody = [*SMALL, "generate.endpoints=['http://127.0.0.1:1/v1#m']"]
    with Studio(project, nobody) as studio, pytest.raises(EngineError, match="cannot be reached"):
        studio.generate()


@pytest.mark.torch
@pytest.mark.skipif(importlib.util.find_spec("mlx_lm") is None, reason="mlx-lm's server is not installed")
def test_a_real_server_writes(project: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "mlx_lm", "server", "--model", str(base_folder()), "--port", str(port)]
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen([sys.executable, *words], stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/v1"
        for _ in range(600):
            with suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
                break
            time.sleep(0.1)
        settings = ["generate.templates=[plain.v1]", "generate.themes=[rain, salt]", "generate.max_tokens=24"]
        with Studio(project, [*settings, f"generate.endpoints=['{url}#default_model']"]) as studio:
            assert studio.generate().written == 2
            found = candidates(studio.store, 1)
            assert all(c.text.strip() and c.tokens > 0 and c.stop in ("eos", "length") for c in found)
            heard: list[str] = []
            done = studio.write("fog", "", lambda _, text: heard.append(text), writer=f"{url}#default_model")
            assert len(heard) > 5
            assert all(later.startswith(sooner) for sooner, later in pairwise(heard))
            assert heard[-1].endswith(done.texts[0])
    finally:
        server.terminate()
        server.wait(20)
