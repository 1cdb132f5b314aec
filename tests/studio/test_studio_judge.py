"""A language model judges over a real HTTP server: verdicts are stored as they come, resumed, and never guessed."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from poetune.errors import JudgeError
from poetune.records import Verdict
from poetune.studio import Studio
from poetune.studio.judge import standing

GRID = [
    "finetune.steps=2",
    "generate.themes=[rain, salt, fog]",
    "generate.max_tokens=30",
    "judge.batch=5",
    "judge.finals=3",
    "judge.model=m",
]


@contextmanager
def judge(unreadable: int = 0) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that ranks labels backwards; the first `unreadable` rankings are prose."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = json.dumps(body, ensure_ascii=False)
            asked.append({"key": self.headers.get("Authorization"), "text": text})
            schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
            labels = schema["properties"]["ranking"]["items"]["enum"]
            said = json.dumps({"reason": "r", "ranking": labels[::-1]})
            if len(asked) <= unreadable:
                said = "What lovely poems, I could not possibly choose."
            answer = {
                "id": "x",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
            }
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def written(project: Path, *more: str) -> Studio:
    studio = Studio(project, [*GRID, *more])
    studio.finetune()
    studio.generate()
    return studio


def test_a_model_ranks_and_no_call_is_made_twice(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "planted-secret-key")
    with judge() as (url, asked), written(project, f"judge.judge={url}") as studio:
        first = studio.judge()
        calls = len(asked)
        assert studio.judge() == first
        assert (len(asked), first.invalid, first.unranked) == (calls, 0, 0)
        assert len(standing(studio)) == first.poems
        stored = studio.store.all(Verdict)
        assert all(v.ranking == v.shown[::-1] for v in stored)
        assert {call["key"] for call in asked} == {"Bearer planted-secret-key"}
    for file in project.rglob("*"):
        assert not file.is_file() or b"planted-secret-key" not in file.read_bytes()


def test_an_unreadable_answer_is_invalid_and_asked_again_never_a_guess(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with judge(unreadable=1) as (url, _), written(project, f"judge.judge={url}") as studio:
        done = studio.judge()
        invalid = [v for v in studio.store.all(Verdict) if v.status == "invalid"]
        assert (done.invalid, len(invalid)) == (1, 1)
        assert invalid[0].ranking == ()
        assert re.search("lovely poems", invalid[0].raw)
        assert done.unranked == 0


def test_a_judge_that_never_answers_readably_fails_and_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with (
        judge(unreadable=10**6) as (url, _),
        written(project, f"judge.judge={url}") as studio,
        pytest.raises(JudgeError, match="could not be read"),
    ):
        studio.judge()


def test_an_unknown_judge_is_refused(project: Path) -> None:
    with written(project, "judge.judge=oracle") as studio, pytest.raises(JudgeError, match="oracle"):
        studio.judge()
