"""Running a page's lines as they stand there: commands in their folder, servers until Ctrl-C, the page as a browser."""

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(line, comments=True)
    return subprocess.run(
        [sys.executable, "-m", "poetune", *words[1:]], cwd=folder, capture_output=True, text=True, check=False
    )


@contextmanager
def until_ctrl_c(line: str, folder: Path) -> Iterator[str]:
    """Start a server as documented and give its address; Ctrl-C must end it well."""
    words = [*shlex.split(line)[1:], "--json"]
    server = subprocess.Popen(
        [sys.executable, "-m", "poetune", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        yield json.loads(server.stdout.readline())["url"]
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0, server.stderr.read()
    finally:
        server.kill()
        server.stdout.close()
        server.stderr.close()


def read_two(line: str, folder: Path) -> None:
    """Accept two poems, or choose twice, over HTTP as a browser would."""
    asked, told, action = ("pair", "vote", "left") if "--compare" in line else ("next", "decide", "accept")
    with until_ctrl_c(line, folder) as url:
        origin = url.split("/?")[0]
        with httpx.Client(base_url=origin, headers={"Origin": origin}, follow_redirects=True) as browser:
            assert browser.get(url).status_code == 200
            for number in range(2):
                shown = browser.get(f"/api/{asked}").json()[asked.replace("next", "poem")]
                said = {"token": f"{line.count(' ')}-documented-{number}", "item": shown["item"], "action": action}
                answer = browser.post(f"/api/{told}", json=said)
                assert answer.status_code == 200, answer.text


def chat_once(line: str, folder: Path) -> None:
    """Ask the endpoint for one poem."""
    with until_ctrl_c(line, folder) as url:
        asked = {"messages": [{"role": "user", "content": "rain"}], "max_tokens": 20}
        answer = httpx.post(f"{url}/chat/completions", json=asked)
        assert answer.status_code == 200, answer.text
