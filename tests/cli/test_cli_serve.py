"""`poetune serve` as a process: it answers, ends what it is writing at Ctrl-C, and names a taken port."""

import json
import os
import signal
import subprocess
import sys
import threading

import httpx
import pytest

ASKED = {"messages": [{"role": "user", "content": "Write of rain."}], "max_tokens": 300, "seed": 1}


def start(project, *more, **environment):
    words = ["serve", "--project", str(project), "--port", "0", "--json", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "poetune", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_lets_the_poem_in_work_come_to_its_end(project):
    server = start(project)
    try:
        told = json.loads(server.stdout.readline())
        assert told["models"] == ["best", "base"]
        answers, begun = [], threading.Event()

        def ask():
            with httpx.stream("POST", f"{told['url']}/chat/completions", json={**ASKED, "stream": True}) as answer:
                for line in answer.iter_lines():
                    begun.set()
                    answers.append(line)

        asking = threading.Thread(target=ask)
        asking.start()
        assert begun.wait(30)
        server.send_signal(signal.SIGINT)
        asking.join(60)
        assert "data: [DONE]" in answers
        assert server.wait(30) == 0, server.stderr.read()
    finally:
        server.kill()
        server.stdout.close()
        server.stderr.close()


def test_a_taken_port_and_an_open_address_without_a_key(project):
    server = start(project)
    try:
        port = json.loads(server.stdout.readline())["url"].split(":")[2].split("/")[0]
        for more, sentence in (
            (["--port", port], f"Port {port} on this machine cannot be used"),
            (["--host", "0.0.0.0"], "put a key into the variable"),
        ):
            second = start(project, *more)
            assert second.wait(60) == 2
            told = second.stderr.read()
            assert sentence in told
            assert "Traceback" not in told
            second.stdout.close()
            second.stderr.close()
    finally:
        server.kill()
        server.wait(20)
        server.stdout.close()
        server.stderr.close()
