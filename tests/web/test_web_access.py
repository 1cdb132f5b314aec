"""Who may come in, what an answer is, and that what was answered is on disk."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from importlib import resources

import httpx
import pytest
from starlette.testclient import TestClient

from poetune.errors import ReviewError
from poetune.web.app import create_app
from poetune.web.faces import Faces
from poetune.web.server import bind, tunnel


@pytest.fixture
def page(project, serve_desk):
    """A client that came in by the link, with the Origin that a browser sends."""
    with serve_desk(project.desk()) as url:
        base = url.partition("/?")[0]
        with httpx.Client(base_url=base, headers={"Origin": base}, timeout=20) as client:
            client.link = url
            assert client.get(url).headers["location"] == "/"
            yield client


def act(token: str = "token-01", **more) -> dict:
    return {"token": token, "item": "c0", "action": "accept", **more}


def test_the_link_opens_once_and_leaves_a_cookie_that_no_script_reads(project, serve_desk):
    with serve_desk(project.desk()) as url, httpx.Client() as ann, httpx.Client() as eve:
        base = url.partition("/?")[0]
        assert eve.get(base).status_code == 403
        assert eve.get(f"{base}/?token=guess").status_code == 403
        welcome = ann.get(url)
        assert (welcome.status_code, welcome.headers["location"]) == (303, "/")
        cookie = welcome.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert url.partition("=")[2] not in cookie
        assert ann.get(f"{base}/review").status_code == 200
        late = eve.get(url)
        assert (late.status_code, late.text.count("\n")) == (403, 1)
        assert ann.get(url).status_code == 303


@pytest.mark.parametrize(
    "path", ["/", "/review", "/api/next", "/static/review.js", "/nothing", "/docs", "/openapi.json"]
)
def test_without_the_cookie_there_is_nothing(page, path):
    answer = httpx.get(f"{page.base_url}{path}")
    assert answer.status_code == 403
    assert "poetune review" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "poems.example"},
        {"Host": "127.0.0.1:"},
        {"Host": "127.0.0.1:1:1"},
        {"Host": "127.0.0.1@poems.example"},
        {"Host": "127.0.0.1.example:80"},
        {"Origin": "http://poems.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    ],
)
def test_a_foreign_host_or_origin_gets_nothing(page, project, headers):
    assert page.get("/api/next", headers=headers).status_code == 403
    assert page.post("/api/decide", json=act(), headers=headers).status_code == 403
    assert project.rows() == []


def test_a_post_without_an_origin_is_refused_and_localhost_is_this_server_too(page):
    bare = httpx.Client(base_url=page.base_url, cookies=page.cookies)
    assert bare.post("/api/undo", json={"token": "token-01"}).status_code == 403
    assert bare.get("/api/next").status_code == 200
    port = page.base_url.port
    for name in (f"localhost:{port}", "localhost:9000"):  # a tunnel may begin at another port
        assert page.get("/review", headers={"Host": name, "Origin": f"http://{name}"}).status_code == 200
    bare.close()


def test_every_answer_keeps_other_pages_out(page):
    for path in ("/", "/review", "/static/base.css", "/api/next", "/nothing"):
        headers = page.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    assert "unsafe" not in page.get("/review").headers["content-security-policy"]


def test_the_page_has_no_script_or_style_within_and_asks_no_other_server(page):
    html = page.get("/review").text
    assert "style=" not in html
    assert "<style" not in html
    assert html.count("<script src=") + html.count('<script type="module" src=') == html.count("<script")
    names = [f.name for f in resources.files("poetune.web").joinpath("static").iterdir()]
    files = [page.get(f"/static/{name}").text for name in names if not name.endswith(".svg")]
    assert len(files) > 20
    assert not any("://" in text for text in [html, *files])


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/none.js"]
)
def test_no_path_leads_out(page, path):
    with socket.create_connection((page.base_url.host, page.base_url.port)) as raw:
        cookie = "; ".join(f"{k}={v}" for k, v in page.cookies.items())
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{page.base_url.port}\r\nCookie: {cookie}\r\nConnection: close"
        raw.sendall(f"{head}\r\n\r\n".encode())
        raw.settimeout(20)
        assert b"".join(iter(lambda: raw.recv(65536), b"")).startswith(b"HTTP/1.1 404")


def test_a_decision_brings_the_next_poem_and_the_same_token_is_one_row(page, project):
    assert page.get("/api/next").json()["poem"]["item"] == "c0"
    for status in ("new", "repeated"):
        answer = page.post("/api/decide", json=act(title="T")).json()
        assert (answer["status"], answer["poem"]["item"], answer["last"]["title"]) == (status, "c1", "T")
        assert project.acts() == [("accept", "c0")]
    other = page.post("/api/decide", json=act("token-02", action="reject"))
    assert (other.status_code, other.json()["poem"]["item"]) == (409, "c1")
    assert page.post("/api/undo", json={"token": "token-03"}).json()["poem"]["draft"]["title"] == "T"
    nothing = page.post("/api/undo", json={"token": "token-04"})
    assert (nothing.status_code, nothing.json()["status"]) == (409, "nothing")
    assert page.post("/api/decide", json=act("token-05", action="reject")).status_code == 200


def test_changes_are_told_line_by_line(page):
    body = page.get("/api/next").json()["poem"]["body"]
    lines = page.post("/api/changes", json={"item": "c0", "body": body + "\nmore"}).json()
    assert [line["parts"] for line in lines if line["kind"] == "added"] == [[["more", False]]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"token": "token-01"}',
        b'{"token": "short", "item": "c0", "action": "accept"}',
        b'{"token": "token-01", "item": "c0", "action": "undo"}',
        b'{"token": "token-01", "item": "c9", "action": "accept"}',
        b'{"token": "token-01", "item": "c0", "action": "accept", "reviewer": "eve"}',
        b'{"token": "token-01", "item": "c0", "action": "accept", "body": "\\ud800"}',
        b'{"token": "token-01", "item": "c0", "action": "accept", "body": "  "}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_decision_is_one_sentence_and_no_row(page, project, body):
    answer = page.post("/api/decide", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"].endswith(".")
    assert project.rows() == []


def test_an_edit_of_a_megabyte_is_refused_and_every_character_is_kept(page, project):
    assert page.post("/api/decide", json=act(body="x" * 2_000_000)).status_code == 413
    body = "<script>alert(1)</script>\n\u202eright\x00 to left\n" + "long " * 2000 + "\n🌧️ 床前明月光，"
    assert page.post("/api/decide", json=act(body=body)).status_code == 200
    assert project.rows()[0]["body"] == body


def test_a_taken_port_is_told_with_the_remedy():
    first = bind(0)
    try:
        with pytest.raises(ReviewError, match="--port 0"):
            bind(first.getsockname()[1])
    finally:
        first.close()


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_kill_right_after_the_answer_loses_nothing_and_ctrl_c_ends_it_well(project):
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from poetune.review import Item
        from poetune.studio.desk import Desk
        from poetune.web.faces import Faces
        from poetune.web.server import serve
        desk = Desk(Path(sys.argv[1]), [Item("c0"), Item("c1")], "ann")
        serve(Faces(desk), 0, False, lambda url: print(url, flush=True))
        """
    )
    for n, how in enumerate((signal.SIGKILL, signal.SIGINT)):
        command = [sys.executable, "-c", script, str(project.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            url = child.stdout.readline().strip()
            base = url.partition("/?")[0]
            with httpx.Client(base_url=base, headers={"Origin": base}, timeout=20) as client:
                client.get(url)
                answer = client.post("/api/decide", json=act(f"token-0{n}", item=f"c{n}"))
                child.send_signal(how)
            assert answer.status_code == 200
            child.wait(20)
            assert child.stderr.read() == ""
        assert len(project.rows()) == n + 1
    assert child.returncode == 0


def test_another_address_is_open_to_this_machines_names_only(project, serve_desk):
    faces = Faces(project.desk())
    app = create_app(faces, "a-token-for-one", "0.0.0.0")
    client = TestClient(app, base_url=f"http://{socket.gethostname()}:80", follow_redirects=False)
    assert client.get("/?token=a-token-for-one", headers={"Host": "poems.example"}).status_code == 403
    assert client.get("/?token=a-token-for-one").status_code == 303
    faces.close()


def test_where_ssh_is_used_the_tunnels_command_is_told():
    session = {"SSH_CONNECTION": "10.0.0.2 50001 10.0.0.9 2222", "USER": "ada"}
    assert tunnel(8765, session) == "ssh -p 2222 -L 8765:127.0.0.1:8765 ada@10.0.0.9"
    assert tunnel(8765, {}) == ""
