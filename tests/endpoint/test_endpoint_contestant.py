"""A model on a server is a contestant like any other."""

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from poetune.studio import Studio
from tests.local_server import listening

QUICK = ["finetune.steps=2", "generate.max_tokens=20", "score.prompts=3"]


@pytest.fixture
def served():
    """A chat server that writes the theme it was asked for; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = f"On {body['messages'][-1]['content']}.\nIt weighs what it weighs."
            message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            answer = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [message]}
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with listening(Handler) as url:
        yield f"{url}/v1"


def test_it_writes_for_the_same_prompts_and_is_judged(project: Path, served: str) -> None:
    with Studio(project, QUICK) as studio:
        studio.finetune()
        found = studio.compare(["best", f"{served}#m"], prompted=False)
        writer = found.writers[1].figures
        assert (writer.label, writer.poems, writer.ended, writer.lines) == ("m", 3, 1.0, 2.0)
        assert found.duels[0].judge.whole == 3
        assert studio.compare(["best", f"{served}#m"], prompted=False) == found
        assert ">m</th>" in Path(studio.report().html).read_text(encoding="utf-8")
