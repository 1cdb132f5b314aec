"""The writing desk in a real Chromium, over the echo engine."""

import sqlite3
from contextlib import contextmanager

import httpx
import pytest

from poetune.studio import Studio
from poetune.studio.init import create
from tests.web.browser import MARKS


@pytest.fixture
def studio(tmp_path, poems):
    create(tmp_path / "poet", "The Keeper", "en", "starter", "echo")
    asked = ["finetune.steps=40", f"corpus.files=[{poems}]", "generate.max_tokens=150"]
    with Studio(tmp_path / "poet", asked) as studio:
        studio.corpus()
        studio.dataset()
        studio.finetune()
        yield studio


def candidates(studio):
    with sqlite3.connect(studio.store.path) as db:
        found = db.execute("SELECT text, title, round, seed FROM candidates").fetchall()
    db.close()
    return found


@contextmanager
def browser(url):
    origin = url.split("/?")[0]
    with httpx.Client(base_url=origin, headers={"Origin": origin}, follow_redirects=True, timeout=60) as client:
        assert client.get(url).status_code == 200
        yield client


def test_poems_and_lines_are_kept_and_what_cannot_be_asked_is_refused(studio, serve_desk):
    with serve_desk(pen=studio.pen()) as url, browser(url) as client:
        wish = {"theme": "rain", "count": 3, "form": "couplet"}
        poems = client.post("/api/write", json=wish).json()["poems"]
        assert len(poems) == 3
        assert all(1 <= len([line for line in poem["text"].split("\n") if line.strip()]) <= 2 for poem in poems)
        kept = candidates(studio)
        assert {text for text, *_ in kept} == {poem["text"] for poem in poems}
        assert {number for _, _, number, _ in kept} == {0}

        begun = client.post("/api/write", json={"first_line": "One lamp on the plate."}).json()["poems"]
        assert begun[0]["text"].startswith("One lamp on the plate.\n")
        text = "The plate is wet.\nThe scale says sixty.\n\nCome forward."
        others = client.post("/api/line", json={"text": text, "line": 2}).json()["texts"]
        assert others
        for other in others:
            first, second, gap, last = other.split("\n")
            assert (first, gap, last) == ("The plate is wet.", "", "Come forward.")
            assert second != "The scale says sixty."

        for path, body, words in (
            ("/api/write", {}, "theme"),
            ("/api/write", {"theme": "rain", "model": "nobody"}, "no model"),
            ("/api/write", {"theme": "rain", "count": 9}, "page's own"),
            ("/api/write", {"theme": "a\x00b"}, ""),
            ("/api/line", {"text": text, "line": 4}, "3 lines"),
        ):
            answer = client.post(path, json=body)
            assert answer.status_code == 422
            assert words in answer.json()["error"]


@MARKS[0]
@MARKS[1]
def test_a_wish_and_a_line_anew_by_keyboard(page, studio, serve_desk):
    with serve_desk(pen=studio.pen()) as url:
        page.driver.get(url)
        page.until(lambda: page.script("return document.activeElement.name") == "theme")
        page.press("rain\n")
        page.until(lambda: page.script("return document.querySelectorAll('#written article').length") == 3)
        before = page.script("return document.querySelector('#written .body').innerText")
        page.script("document.querySelector('#written button.line').focus()")
        page.press("\n")
        page.until(lambda: page.script("return document.querySelectorAll('.others button').length") > 0)
        other = page.script("return document.activeElement.textContent")
        page.press("\n")
        page.until(lambda: page.script("return document.querySelectorAll('.others').length") == 0)
        after = page.script("return document.querySelector('#written .body').innerText")
        assert after != before
        assert after.startswith(other)
