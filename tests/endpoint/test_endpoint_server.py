import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler

import pytest

from poetune.backends.dialect import address
from poetune.backends.endpoint import EndpointChat, EndpointEngine
from poetune.backends.policy import Limits
from poetune.errors import AnswerLost, AnswerRefused, EngineError, JudgeError
from poetune.judge.llm import LLMJudge
from poetune.ports import Block, Chat, Generator, Request, ScoreRequest, Weights
from poetune.records import Conversation, Message, Sampling
from tests.local_server import listening

SCHEMA = {"type": "object", "properties": {"ranking": {"type": "array"}}}
BLOCK = Block(("x1", "x2"), ("rain", "rain"), ("one", "two"))
RUBRIC = "modern-free-verse.v1"


def says(text, finish="stop", tokens=3):
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": 1 + tokens}
    whole = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    return 200, whole


def streams(*pieces, finish="stop", tokens=3):
    """Server-sent events of one answer; without a `finish` it breaks off after the last piece."""
    deltas = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in pieces]
    deltas += [{"index": 0, "delta": {}, "finish_reason": finish}] if finish else []
    chunks = [{"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"} for _ in deltas]
    events = [chunk | {"choices": [delta]} for chunk, delta in zip(chunks, deltas, strict=True)]
    if finish:
        usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": 1 + tokens}
        events.append(events[-1] | {"choices": [], "usage": usage})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"] * bool(finish)
    return 200, "".join(lines)


def refuses(message, code=400):
    return code, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


@contextmanager
def serving(mood, models=("m",)):
    """A real server; `mood(body, number)` gives status and JSON (or bytes) of each chat completion."""
    log = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def _send(self, code, value):
            kinds = {bytes: "text/html", str: "text/event-stream"}
            data = (
                value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
            )
            self.send_response(code)
            self.send_header("Content-Type", kinds.get(type(value), "application/json"))
            self.send_header("Content-Length", str(len(data)))
            self.send_header("retry-after-ms", "1")
            with suppress(ConnectionError):  # the client may have gone
                self.end_headers()
                self.wfile.write(data)

        def do_GET(self):
            self._send(200, {"object": "list", "data": [{"id": m, "object": "model"} for m in models]})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            log.append((body, {k.lower(): v for k, v in self.headers.items()}))
            if self.path != "/v1/chat/completions":
                self._send(*refuses("no such path", 404))
            else:
                self._send(*mood(body, len(log)))

    with listening(Handler) as url:
        yield f"{url}/v1", log


@contextmanager
def chatting(mood, **options):
    with serving(mood) as (url, log):
        chat = EndpointChat(url, options.pop("model", "m"), **options)
        try:
            yield chat, log
        finally:
            chat.close()


def json_answer(body, number):
    return says('{"reason": "r", "ranking": ["B", "A"]}')


def test_a_server_that_takes_schemas_ranks_a_block(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-secret")
    with chatting(json_answer, key_variable="MY_KEY") as (chat, log):
        assert isinstance(chat, Chat)
        assert chat.name.startswith("m at 127.0.0.1:")
        ballot = LLMJudge(chat).rank(BLOCK, RUBRIC)
    assert (ballot.ranking, ballot.status) == (("x2", "x1"), "ok")
    body, headers = log[0]
    assert body["response_format"]["json_schema"]["strict"] is True
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0.0, 4000)
    assert headers["authorization"] == "Bearer sk-secret"


def test_the_dialect_is_stepped_down_once_and_kept():
    def mood(body, number):
        if "max_tokens" in body:
            return refuses("Unsupported parameter: 'max_tokens'; use 'max_completion_tokens' instead.")
        if "temperature" in body:
            return refuses("Unsupported value: temperature does not support 0")
        if body.get("response_format", {}).get("type") == "json_schema":
            return refuses("response_format json_schema is not supported", 422)
        if "response_format" in body:
            return refuses("Extra inputs are not permitted")
        return says("RANKING: B > A")

    with chatting(mood) as (chat, log):
        judge = LLMJudge(chat)
        assert judge.rank(BLOCK, RUBRIC).ranking == ("x2", "x1")
        assert len(log) == 5
        assert judge.rank(BLOCK, RUBRIC).status == "ok"
    assert len(log) == 6
    assert set(log[-1][0]) == {"model", "messages", "max_completion_tokens"}


@pytest.mark.parametrize("answer", ["Both are lovely.", None, '{"ranking": ["A"]}', "<think>RANKING: A > B", "\ud800"])
def test_prose_and_garbage_are_invalid_ballots(answer):
    with chatting(lambda body, number: says(answer)) as (chat, _):
        ballot = LLMJudge(chat).rank(BLOCK, RUBRIC)
    assert (ballot.ranking, ballot.status) == ((), "invalid")
    ballot.raw.encode()


def test_a_failing_server_is_tried_again():
    with chatting(lambda body, n: refuses("busy", 503) if n < 3 else json_answer(body, n)) as (chat, log):
        assert "ranking" in chat.ask("s", "u", SCHEMA).text
    assert len(log) == 3


@pytest.mark.parametrize("least", ["json_schema", "json_object", "text"])
def test_one_probe_settles_how_the_server_is_asked(least):
    def mood(body, number):  # takes every format, but heeds only the weaker ones
        form = body.get("response_format", {}).get("type", "text")
        return says('{"letter": "A"}' if form == least else "The letter A.")

    with chatting(mood) as (chat, log):
        known = chat.probe()
        probed = len(log)
        chat.ask("s", "u", SCHEMA)
        assert log[-1][0].get("response_format", {}).get("type", "text") == least
        assert chat.probe(known) == known
    assert known == f"{least} max_tokens"
    assert probed == ["json_schema", "json_object", "text"].index(least) + 1
    assert len(log) == probed + 1


def test_an_answer_that_breaks_off_is_lost_not_asked_again():
    def mood(body, number):
        raise ConnectionAbortedError  # the handler ends and the connection closes without an answer

    with chatting(mood) as (chat, log), pytest.raises(AnswerLost, match="broke off"):
        chat.ask("s", "u", SCHEMA)
    assert len(log) == 1


def test_one_refused_request_is_not_the_end_and_the_first_is():
    def mood(body, number):
        return refuses("content filter") if "bad" in body["messages"][1]["content"] else says("fine")

    with chatting(mood) as (chat, log):
        with pytest.raises(JudgeError, match="refuses what it is asked") as first:
            chat.ask("s", "bad", SCHEMA)
        assert not isinstance(first.value, AnswerRefused)
        assert chat.ask("s", "good", SCHEMA).text == "fine"
        assert "response_format" in log[-1][0]
        with pytest.raises(AnswerRefused, match="content filter"):
            chat.ask("s", "bad", SCHEMA)
        bad = LLMJudge(chat).rank(Block(("x1", "x2"), ("", ""), ("bad", "one")), RUBRIC)
    assert (bad.status, bad.raw) == ("invalid", "")


@pytest.mark.parametrize(
    ("mood", "message"),
    [
        (
            lambda b, n: refuses("Incorrect API key provided: sk-secret", 401),
            "MY_KEY holds a key that it does not take",
        ),
        (lambda b, n: refuses("model m not found", 404), "knows no such model"),
        (lambda b, n: refuses("slow down", 429), "too much was asked"),
        (lambda b, n: refuses("broken", 502), "failed"),
        (lambda b, n: (200, b"<html>hello</html>"), "does not answer as a chat endpoint"),
        (lambda b, n: (200, {"object": "list"}), "does not answer as a chat endpoint"),
        (lambda b, n: (200, {"choices": []}), "does not answer as a chat endpoint"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_sentence_without_the_key(monkeypatch, mood, message):
    monkeypatch.setenv("MY_KEY", "sk-secret")
    with (
        chatting(mood, key_variable="MY_KEY", limits=Limits(retries=1)) as (chat, _),
        pytest.raises(JudgeError, match=message) as told,
    ):
        chat.ask("s", "u", SCHEMA)
    assert "sk-secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_server_that_does_not_answer_in_time():
    done = threading.Event()

    def mood(body, number):
        done.wait(10)
        return says("late")

    with chatting(mood, timeout=0.05) as (chat, log):
        with pytest.raises(AnswerLost, match="raise the timeout"):
            chat.ask("s", "u")
        done.set()
    assert len(log) == 1, "it may have been paid for, so whoever pays decides"


def test_nobody_is_there(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(json_answer) as (url, _):
        pass
    chat = EndpointChat(url, "m", limits=Limits(retries=0))
    with pytest.raises(JudgeError, match="cannot be reached; is the server running"):
        chat.ask("s", "u", SCHEMA)
    chat.close()


def test_the_only_model_needs_no_name_and_several_do():
    with serving(json_answer) as (url, _):
        chat = EndpointChat(url)
        assert chat.name.startswith("m at ")
        chat.close()
    with serving(json_answer, models=("a", "b")) as (url, _), pytest.raises(JudgeError, match="it offers: a, b"):
        EndpointChat(url)


@pytest.mark.parametrize("url", ["localhost:80", "ftp://x/v1", "http://me:pw@x/v1", "http://x/v1?key=1", ""])
def test_addresses_that_are_none_or_hold_a_key_are_refused(url):
    with pytest.raises(JudgeError) as told:
        address(url, JudgeError)
    assert "pw" not in str(told.value)
    assert address("http://h:1", JudgeError) == "http://h:1/v1"
    assert address("https://h/api/v3/chat/completions/", JudgeError) == "https://h/api/v3"


def request(url, key="r1", text="rain", heard=None, **changes):
    talk = Conversation((Message("user", text),), prefix=changes.pop("prefix", ""), raw=changes.pop("raw", ""))
    return Request(key, Weights(url, changes.pop("adapter", "")), talk, Sampling(**changes), 5, heard)


@contextmanager
def engine(mood, **options):
    with serving(mood) as (url, log):
        made = EndpointEngine(model="m", limits=Limits(retries=0), **options)
        try:
            yield made, url, log
        finally:
            made.close()


def test_the_engine_writes_poems_as_asked():
    def mood(body, number):
        if "seed" in body:
            return refuses("unknown field: seed", 422)
        return says(f"<think>hm</think>\n\n{body['messages'][0]['content']}\ntwo\nthree\n", "length", 9)

    with engine(mood) as (made, url, log):
        assert isinstance(made, Generator)
        wanted = [request(url, f"r{i}", f"line {i}", max_lines=2, top_k=7) for i in range(9)]
        found = {w.id: w for w in made.generate(wanted)}
    assert {key: w.text for key, w in found.items()} == {f"r{i}": f"line {i}\ntwo" for i in range(9)}
    assert {(w.stop, w.tokens) for w in found.values()} == {("lines", 9)}
    body = log[-1][0]
    assert (body["top_k"], body["repetition_penalty"], body["top_p"]) == (7, 1.1, 0.95)


@pytest.mark.parametrize(
    ("prefix", "answer", "whole"),
    [
        ("床前明月光，", "疑是地上霜。", "床前明月光，疑是地上霜。"),
        ("床前明月光，", "床前明月光，疑是地上霜。", "床前明月光，疑是地上霜。"),
        ("Rain again", "and the lamp", "Rain again\nand the lamp"),
        ("Rain again\n", "Rain again\n\nand the lamp", "Rain again\n\n\nand the lamp"),
    ],
)
def test_an_opening_is_asked_for_and_stands_once(prefix, answer, whole):
    with engine(lambda body, n: says(answer)) as (made, url, log):
        (poem,) = made.generate([request(url, prefix=prefix)])
    assert prefix + poem.text == whole
    assert log[0][0]["messages"][0]["content"].endswith(prefix)


def test_a_refused_poem_is_an_error_and_the_others_are_written():
    def mood(body, number):
        return refuses("content filter") if body["messages"][0]["content"] == "bad" else says("a\nb")

    with engine(mood, batch=1) as (made, url, _):
        found = list(made.generate([request(url, "1"), request(url, "2", "bad"), request(url, "3")]))
    assert [(w.text, w.stop) for w in found] == [("a\nb", "eos"), ("", "error"), ("a\nb", "eos")]


def test_settings_that_are_off_are_said_too_and_left_out_where_refused():
    def mood(body, number):
        strange = sorted({"top_k", "min_p", "repeat_penalty"} & set(body))
        return refuses(f"Unrecognized request arguments supplied: {', '.join(strange)}") if strange else says("a\nb")

    with engine(lambda body, n: says("a\nb")) as (made, url, log):
        list(made.generate([request(url, repetition_penalty=1.3)]))
    off = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.3, "repeat_penalty": 1.3}
    assert off.items() <= log[0][0].items()
    with engine(mood) as (made, url, log):
        (poem,) = made.generate([request(url)])
        assert (poem.text, len(log)) == ("a\nb", 2)
        with pytest.raises(EngineError, match="takes no top_k; set it to what turns it off"):
            list(made.generate([request(url, top_k=40)]))
    with engine(mood) as (made, url, log), pytest.raises(EngineError, match=r"refuses what it is asked.*top_k"):
        list(made.generate([request(url, top_k=40)]))


def test_the_engine_refuses_by_name_what_it_cannot_do():
    made = EndpointEngine()
    assert not made.capabilities.scores
    for what, changes in {
        "literal prompts": {"raw": "<s>"},
        "beams": {"beams": 2},
        "no_repeat_ngram": {"no_repeat_ngram": 3},
    }.items():
        with pytest.raises(EngineError, match=what):
            list(made.generate([request("http://127.0.0.1:1/v1", **changes)]))
    with pytest.raises(EngineError, match="cannot score"):
        made.score([ScoreRequest(Weights("http://h/v1"), "text")])
    with pytest.raises(EngineError, match="token ids"):
        made.render(Weights("http://h/v1"), Conversation())
