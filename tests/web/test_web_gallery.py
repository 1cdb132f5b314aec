"""The gallery and the figures over HTTP, and hostile text in both and in every file."""

import csv
import io
import json

import httpx
import pytest

from poetune.records import Conversation, Message
from poetune.studio.gallery import Gallery
from tests.web.browser import MARKS, By

HOSTILE = "<script>document.title='owned'</script>\n\u202eright\x00 to left\n" + "x" * 10_000 + "\n🌧️ 床前明月光，"


def gallery(project):
    asked = Conversation((Message("system", "You are a poet."), Message("user", "rain")))
    return Gallery(project.path, "A <b>poet</b>", lambda _: asked)


@pytest.fixture
def decided(make_project, serve_desk):
    """Two accepted poems, one of them edited, and a rejected one; a client that came in by the link."""
    project = make_project([("<i>Hostile</i>", HOSTILE), ("Two", "second poem"), ("Three", "third")])
    desk = project.desk()
    with serve_desk(desk, gallery=gallery(project)) as url:
        desk.decide("token-01", "c0", "accept")
        desk.decide("token-02", "c1", "accept", body="second, edited", note="why not")
        desk.decide("token-03", "c2", "reject")
        with httpx.Client(base_url=url.partition("/?")[0], timeout=20) as client:
            client.get(url)
            client.link = url
            yield client


def test_filters_find_and_say_how_many(decided):
    page = decided.get("/gallery").text
    assert "[2, 3]" in page
    assert HOSTILE.split("\n")[0] not in page
    assert "&lt;script&gt;" in page
    edited = decided.get("/gallery", params={"words": "EDITED why", "edited": "true", "round": "", "model": ""}).text
    assert ("[1, 3]" in edited, "second, edited" in edited, "second poem" in edited) == (True, True, True)
    assert "[1, 3]" in decided.get("/gallery?decision=reject").text
    assert "[0, 3]" in decided.get("/gallery?template=none.v1&page=9").text
    assert decided.get("/gallery?decision=maybe").status_code == 422


def test_every_file_holds_the_text_to_the_byte(decided):
    def lines(kind):
        answer = decided.get(f"/export/{kind}")
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        return [json.loads(line) for line in answer.content.decode().split("\n") if line]

    assert HOSTILE.encode() in decided.get("/export/txt").content
    assert HOSTILE in [row["text"] for row in lines("jsonl")]
    table = io.StringIO(decided.get("/export/csv").content.decode(), newline="")
    assert HOSTILE in [row["text"] for row in csv.DictReader(table)]
    chat = [row["messages"] for row in lines("chat")]
    assert [[turn["role"] for turn in turns] for turns in chat] == [["system", "user", "assistant"]] * 2
    assert HOSTILE in [turns[-1]["content"] for turns in chat]
    liked = {row["completion"][0]["content"]: row["label"] for row in lines("kto")}
    assert liked == {HOSTILE: True, "second, edited": True, "third": False}
    (pair,) = lines("dpo")
    assert (pair["chosen"][0]["content"], pair["rejected"][0]["content"]) == ("second, edited", "second poem")
    book = decided.get("/export/markdown").text
    assert "<script>" not in book
    assert book.startswith("# A \\<b\\>poet\\</b\\>\n")


def test_what_is_not_there_is_told_in_a_sentence(make_project, serve_desk):
    project = make_project([("One", "first")])
    with serve_desk(gallery=gallery(project)) as url, httpx.Client(base_url=url.partition("/?")[0]) as client:
        assert client.get(url, follow_redirects=True).url.path == "/gallery"
        answer = client.get("/export/dpo")
        assert (answer.status_code, answer.json()["error"].endswith(".")) == (422, True)
        assert client.get("/export/exe").status_code == 422
        assert client.get("/review").status_code == 404


@MARKS[0]
@MARKS[1]
def test_gallery_and_figures_in_a_browser(page, project, serve_desk):
    desk = project.desk("ann")
    desk.decide("token-11", "c0", "accept", title="<img src=x onerror=\"document.title='owned'\">")
    desk.decide("token-12", "c1", "reject")
    with serve_desk(desk, gallery=gallery(project)) as url:
        page.open(url)
        page.driver.get(url.partition("/?")[0] + "/gallery")
        assert page.driver.find_element(By.CSS_SELECTOR, ".poems h2").text.startswith("<img src=x")
        assert "owned" not in page.driver.title
        assert page.driver.find_element(By.CLASS_NAME, "tally").text == "1 poem, of 2 decided"
        page.driver.get(url.partition("/?")[0] + "/figures")
        assert page.driver.find_element(By.CSS_SELECTOR, ".heat td").text.split("\n") == ["50 %", "9–91 · 1 of 2"]
        page.driver.find_element(By.ID, "tongue").click()
        assert page.driver.find_element(By.TAG_NAME, "h2").text == "收录率"
