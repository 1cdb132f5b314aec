"""A server's poem is heard as it grows, is the same as the whole one, and a stream that dies is one sentence."""

import json
from pathlib import Path

import pytest
from test_endpoint_server import engine, refuses, request, says, serving, streams

from poetune.errors import EngineError
from poetune.records import Candidate
from poetune.studio import Studio

GREW = ["<th", "ink>hm", "</think>\n\n", "Rain", " on\nthe ro", "of\nEN", "D of it"]


def heard_of(mood, **asked):
    told = []
    with engine(mood) as (made, url, log):
        (poem,) = made.generate([request(url, heard=told.append, **asked)])
    return poem, told, [body for body, _ in log]


@pytest.mark.parametrize(
    ("asked", "told", "stop"),
    [
        ({}, ["Rain", "Rain on\nthe ro", "Rain on\nthe roof\nEN", "Rain on\nthe roof\nEND of it"], "eos"),
        ({"stop": ("END",)}, ["Rain", "Rain on\nthe ro", "Rain on\nthe roof"], "sequence"),
        ({"max_lines": 1}, ["Rain", "Rain on"], "lines"),
    ],
)
def test_a_poem_is_heard_as_the_server_writes_it(asked, told, stop):
    poem, heard, (body,) = heard_of(lambda body, n: streams(*GREW, tokens=9), **asked)
    assert (heard, poem.text, poem.stop, poem.tokens) == (told, told[-1], stop, 9)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    with engine(lambda body, n: says("".join(GREW), tokens=9)) as (made, url, log):
        assert list(made.generate([request(url, **asked)])) == [poem]
    assert "stream" not in log[0][0]


def test_an_opening_said_again_is_not_heard():
    poem, heard, _ = heard_of(lambda body, n: streams("床前", "明月光，", "疑是", "地上霜。"), prefix="床前明月光，")
    assert (heard, poem.text) == (["疑是", "疑是地上霜。"], "疑是地上霜。")


@pytest.mark.parametrize(
    ("refuse", "asked"),
    [
        (lambda body: refuses("Unknown field: stream_options", 422) if "stream_options" in body else None, 2),
        (lambda body: refuses("streaming is not supported") if "stream" in body else None, 2),
        (lambda body: says("Rain on\nthe roof") if "stream" in body else None, 2),  # it passes `stream` over
    ],
)
def test_a_server_that_does_not_stream_answers_whole(refuse, asked):
    def mood(body, number):
        answer = streams("Rain on\n", "the roof") if "stream" in body else says("Rain on\nthe roof")
        return refuse(body) or answer

    poem, heard, bodies = heard_of(mood)
    assert (poem.text, poem.stop, heard[-1]) == ("Rain on\nthe roof", "eos", "Rain on\nthe roof")
    assert len(bodies) == asked
    assert bodies[-1]["seed"] == bodies[0]["seed"]


def test_a_stream_that_breaks_off_is_one_sentence_and_not_asked_again():
    told = []
    with engine(lambda body, n: streams("Rain", " on", finish="")) as (made, url, log):
        with pytest.raises(EngineError, match="broke off before its answer was whole; run the same command again"):
            list(made.generate([request(url, heard=told.append)]))
        assert (told, len(log)) == (["Rain", "Rain on"], 1)
    failing = f"data: {json.dumps({'error': {'message': 'out of memory', 'code': 500}})}\n\n"
    with engine(lambda body, n: (200, failing)) as (made, url, _), pytest.raises(EngineError, match="out of memory"):
        list(made.generate([request(url, heard=told.append)]))


def test_poems_on_their_way_are_kept_where_another_fails():
    def mood(body, number):
        theme = body["messages"][0]["content"]
        return refuses("no such model", 404) if theme == "1" else says(f"poem {theme}")

    kept = []
    with engine(mood, batch=3) as (made, url, log):
        poems = made.generate([request(url, str(i), str(i)) for i in range(9)])
        with pytest.raises(EngineError, match="no such model"):
            kept.extend(poem.id for poem in poems)
    asked = {body["messages"][0]["content"] for body, _ in log}
    assert set(kept) == asked - {"1"} != set()
    assert len(asked) < 9


def test_write_by_a_server_streams_and_after_a_break_goes_on(project: Path) -> None:
    dying = [True]

    def mood(body, number):
        if dying[0] and number == 2:
            return streams("Half a", finish="")
        return streams(f"Poem {number}\n", "by ", body["model"])

    heard: list[tuple[int, str]] = []
    with serving(mood) as (url, _):
        settings = ["generate.serving.concurrency=1", "generate.serving.retries=0"]
        with Studio(project, settings) as studio:
            asked = {"writer": f"{url}#two", "poems": 3}
            with pytest.raises(EngineError, match="broke off"):
                studio.write("rain", "", lambda number, text: heard.append((number, text)), **asked)
            assert heard == [(0, "Poem 1"), (0, "Poem 1\nby"), (0, "Poem 1\nby two"), (1, "Half a")]
            assert studio.store.count(Candidate) == 1
            dying[0] = False
            done = studio.write("rain", "", lambda number, text: None, **asked)
            assert done.texts[0] == "Poem 1\nby two"
            assert studio.store.count(Candidate) == 3
            with pytest.raises(EngineError, match="nothing is called 'nobody'"):
                studio.write("rain", writer="nobody")
