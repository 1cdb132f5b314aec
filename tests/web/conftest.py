"""A project with a few poems on a desk, and the review server over it in a thread."""

import json
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from poetune.records import Candidate, Model, Prompt, Sampling
from poetune.review import Item
from poetune.store import Store
from poetune.studio.desk import Desk
from poetune.web.faces import Faces
from poetune.web.server import PageServer

STARTER = Path(__file__).resolve().parents[2] / "src" / "poetune" / "starter" / "poems_en.jsonl"


@dataclass
class Project:
    path: Path
    ids: list[str]

    def desk(self, reviewer: str = "ann", **more) -> Desk:
        return Desk(self.path, [Item(i) for i in self.ids], reviewer, **more)

    def rows(self) -> list[dict]:
        """The review rows, read past poetune by a connection of its own."""
        with sqlite3.connect(self.path) as db:
            db.row_factory = sqlite3.Row
            found = [dict(row) for row in db.execute("SELECT * FROM reviews ORDER BY seq")]
        db.close()
        return found

    def acts(self) -> list[tuple[str, str]]:
        return [(row["action"], row["candidate"]) for row in self.rows()]


def write(path: Path, poems: list[tuple[str, str]]) -> Project:
    model = Model("checkpoint", "echo", "starter", name="checkpoint 150", step=150)
    prompts = [Prompt(f"theme {n}", "airy.v1") for n in range(len(poems))]
    candidates = [
        Candidate(f"c{n}", model.id, prompts[n].id, Sampling(), n, text, title, "eos", 9)
        for n, (title, text) in enumerate(poems)
    ]
    with Store(path, create=True) as store:
        store.add([model, *prompts, *candidates])
    return Project(path, [c.id for c in candidates])


@pytest.fixture
def project(tmp_path):
    rows = [json.loads(line) for line in STARTER.read_text(encoding="utf-8").splitlines()[:4]]
    return write(tmp_path / "poet.db", [(row["title"], row["text"]) for row in rows])


@pytest.fixture
def make_project(tmp_path):
    return lambda poems: write(tmp_path / "poet.db", poems)


@contextmanager
def running(desk: Desk | None = None, **more):
    """The server over these faces; gives its URL with the one-time token."""
    faces = Faces(desk=desk, **more)
    ready = threading.Event()
    server = PageServer(faces, 0, lambda url: ready.set())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(20)
        yield server.url
    finally:
        server.stop()
        thread.join(20)
        faces.close()


@pytest.fixture
def serve_desk():
    return running


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    from tests.web.browser import start

    found = start(tmp_path_factory.mktemp("chromium"))
    yield found
    found.quit()


@pytest.fixture
def page(driver):
    from tests.web.browser import Page

    yield Page(driver)
    log = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert log == []
    driver.execute_script("localStorage.clear()")
