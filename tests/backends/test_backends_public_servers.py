"""The endpoint client against public OpenAI-compatible servers, each with a miniature model that talks nonsense."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from poetune.backends.endpoint import EndpointChat, EndpointEngine
from poetune.errors import JudgeError
from poetune.judge.llm import LLMJudge
from poetune.ports import Block, Request, Weights
from poetune.records import Conversation, Message, Sampling

BLOCK = Block(("x1", "x2"), ("rain", "rain"), ("one", "two"))
pytestmark = pytest.mark.torch


def transformers(base: str, port: int) -> list[str]:
    tool = Path(sys.executable).with_name("transformers")
    if not tool.exists():
        pytest.skip("transformers has no serve command here")
    return [str(tool), "serve", base, "--port", str(port), "--host", "127.0.0.1", "--device", "cpu"]


def mlx(base: str, port: int) -> list[str]:
    if find_spec("mlx_lm") is None:
        pytest.skip("mlx-lm is not installed")
    return [sys.executable, "-m", "mlx_lm", "server", "--model", base, "--port", str(port)]


@contextmanager
def served(command: list[str], port: int, cache: Path) -> Iterator[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 240
        while True:
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server did not come up"
            try:
                if httpx.get(f"http://127.0.0.1:{port}/v1/models", timeout=5).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.parametrize("command", [transformers, mlx], ids=["transformers-serve", "mlx-lm-server"])
def test_it_is_probed_asked_and_its_nonsense_is_invalid_never_a_guess(mini, tmp_path, command) -> None:
    base = mini("llama")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with served(command(base, port), port, tmp_path) as url:
        chat = EndpointChat(url, base, timeout=120, max_tokens=24)
        known = chat.probe()
        assert known.split()[0] == "text", "it takes response_format or refuses it, and heeds it in neither case"
        ballot = LLMJudge(chat).rank(BLOCK, "fusion.v1")
        assert (ballot.ranking, ballot.status) == ((), "invalid")
        assert ballot.raw
        assert ballot.prompt_tokens > 100
        assert 0 < ballot.completion_tokens <= 24
        chat.close()
        engine = EndpointEngine(model=base)
        talk = Conversation((Message("user", "rain"),))
        sampling = Sampling(max_tokens=12, repetition_penalty=1.0)
        poems = list(engine.generate([Request(f"r{i}", Weights(url), talk, sampling, i) for i in range(3)]))
        assert {p.id for p in poems} == {"r0", "r1", "r2"}
        assert all(p.stop in ("eos", "length") for p in poems)
        told: list[str] = []
        (heard,) = engine.generate([Request("r3", Weights(url), talk, sampling, 3, told.append)])
        assert heard.text == (told[-1] if told else "")
        engine.close()
        wrong = EndpointChat(url, "no/such-model", timeout=120, max_tokens=8)
        with pytest.raises(JudgeError):
            wrong.probe()
        wrong.close()
