"""A hub on this machine: repositories are made and commits taken over HTTP, as huggingface_hub sends them."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.local_server import listening


class Hub:
    """What was asked of it: repositories with whether they are private, files by repository, tokens seen."""

    def __init__(self) -> None:
        self.private: dict[str, bool] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.tokens: set[str] = set()
        self.refuses = False
        self.url = ""


@contextmanager
def hub() -> Iterator[Hub]:
    made = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

        def answer(self, code: int, value: Any) -> None:
            data = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                parts = []
                while size := int(self.rfile.readline().strip() or b"0", 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def do_GET(self) -> None:
            repo = "/".join(self.path.split("?")[0].split("/")[3:5])
            known = [{"rfilename": name} for name in made.files.get(repo, {})]
            self.answer(200, {"id": repo, "sha": "0" * 40, "private": made.private.get(repo), "siblings": known})

        def do_POST(self) -> None:
            made.tokens.add(self.headers.get("Authorization", ""))
            sent = self.body()
            path = self.path.split("?")[0]
            if made.refuses:
                self.answer(403, {"error": "this account may not write"})
            elif path == "/api/repos/create":
                asked = json.loads(sent)
                repo = f"{asked.get('organization') or 'me'}/{asked['name']}"
                made.private[repo] = bool(asked.get("private") or asked.get("visibility") == "private")
                self.answer(200, {"url": f"{made.url}/{repo}", "id": repo})
            elif "/preupload/" in path:
                files = [
                    {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for f in json.loads(sent)["files"]
                ]
                self.answer(200, {"files": files})
            elif "/commit/" in path:
                repo = "/".join(path.split("/")[3:5])
                for line in map(json.loads, sent.splitlines()):
                    if line["key"] == "file":
                        content = base64.b64decode(line["value"]["content"])
                        made.files.setdefault(repo, {})[line["value"]["path"]] = content
                url = f"{made.url}/{repo}/commit/1"
                self.answer(200, {"success": True, "commitOid": "1" * 40, "commitUrl": url, "hookOutput": ""})
            else:
                self.answer(200, {"lfs": [], "objects": []})

    with listening(Handler) as url:
        made.url = url
        yield made
