"""The endpoint, driven by the official client and by bare HTTP."""

import http.client
import json
import threading
from contextlib import contextmanager

import httpx
import pytest

openai = pytest.importorskip("openai")

from poetune.backends.endpoint import EndpointEngine  # noqa: E402
from poetune.ports import Request, Weights  # noqa: E402
from poetune.records import Conversation, Message, Sampling  # noqa: E402
from poetune.studio import Studio  # noqa: E402
from poetune.studio.init import create  # noqa: E402
from poetune.studio.serving import Queue  # noqa: E402
from poetune.web.openai.app import Poet, create_app  # noqa: E402
from poetune.web.server import Listening, bind  # noqa: E402

USUAL = Sampling(max_tokens=60)
ASKED = [{"role": "system", "content": "You weigh."}, {"role": "user", "content": "Write of rain."}]


@contextmanager
def listening(poet, **more):
    bound, ready = bind(0), threading.Event()
    server = Listening(create_app(poet, **more), ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        assert ready.wait(20)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def poet(tmp_path, poems):
    create(tmp_path / "poet", "The Keeper", "en", "starter", "echo")
    with Studio(tmp_path / "poet", ["finetune.steps=30", f"corpus.files=[{poems}]"]) as studio:
        studio.corpus()
        studio.dataset()
        studio.finetune()
        queue = Queue(studio.generator(), 8, 16)
        yield Poet(studio.served(), queue, USUAL, most_tokens=200)
        queue.close()


@pytest.fixture
def url(poet):
    with listening(poet) as url:
        yield url


@pytest.fixture
def client(url):
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client


def own(poet, sampling=USUAL, seed=7, prefix=""):
    """What the engine itself writes."""
    turns = tuple(Message(turn["role"], turn["content"]) for turn in ASKED)
    request = Request("x", poet.served.find("best"), Conversation(turns, prefix=prefix), sampling, seed)
    return next(iter(poet.queue._generator.generate([request])))


def test_the_official_client_gets_models_chats_and_completions(poet, client):
    names = [model.id for model in client.models.list()]
    assert names == list(poet.served.weights)
    assert client.models.retrieve("base").id == "base"
    answer = client.chat.completions.create(model="best", messages=ASKED, seed=7, n=2)
    assert [choice.message.content for choice in answer.choices] == [own(poet).text, own(poet, seed=8).text]
    assert answer.usage.completion_tokens == own(poet).tokens + own(poet, seed=8).tokens
    assert answer.usage.prompt_tokens > 5
    greedy = client.chat.completions.create(model="base", messages=ASKED, temperature=0, max_tokens=5, seed=1)
    assert greedy.choices[0].finish_reason == "length"
    assert greedy.usage.completion_tokens == 5
    plain = client.completions.create(model="best", prompt="The plate is", max_tokens=9, seed=1, stop=["\n"])
    assert "\n" not in plain.choices[0].text
    prefixed = [*ASKED, {"role": "assistant", "content": "The plate"}]
    on = client.chat.completions.create(model="best", messages=prefixed, seed=7)
    assert on.choices[0].message.content == own(poet, prefix="The plate").text


@pytest.mark.parametrize("count", [1, 3])
def test_a_stream_adds_up_to_the_whole(client, count):
    asked = {"model": "best", "messages": ASKED, "seed": 7, "n": count}
    whole = client.chat.completions.create(**asked)
    texts, finishes, usage = [""] * count, [None] * count, None
    pieces = 0
    for chunk in client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            finishes[choice.index] = choice.finish_reason or finishes[choice.index]
            pieces += bool(choice.delta.content)
    assert texts == [choice.message.content for choice in whole.choices]
    assert finishes == [choice.finish_reason for choice in whole.choices]
    assert usage == whole.usage
    assert pieces > 5 * count


def test_many_at_once_each_get_their_own_poem(poet, url):
    expected = {seed: own(poet, seed=seed).text for seed in range(12)}
    found = {}

    def ask(seed):
        with openai.OpenAI(base_url=url, api_key="none") as client:
            answer = client.chat.completions.create(model="best", messages=ASKED, seed=seed)
            found[seed] = answer.choices[0].message.content

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == expected


def test_another_poetune_can_talk_to_the_poet(poet, url):
    engine = EndpointEngine(model="best")
    turns = tuple(Message(turn["role"], turn["content"]) for turn in ASKED)
    sampling = Sampling(max_tokens=60, repetition_penalty=USUAL.repetition_penalty)
    (poem,) = engine.generate([Request("x", Weights(url), Conversation(turns), sampling, 7)])
    engine.close()
    assert poem.text == own(poet, sampling).text


BAD = [
    ({"messages": []}, 400, "messages"),
    ({"messages": ASKED, "temperature": 9}, 400, "temperature"),
    ({"messages": ASKED, "n": 99}, 400, "n:"),
    ({"messages": ASKED, "max_tokens": 201}, 400, "at most 200"),
    ({"messages": ASKED, "stop": ["a", "b", "c", "d", "e"]}, 400, "stop"),
    ({"messages": ASKED, "tools": [{"type": "function"}]}, 400, "tools"),
    ({"messages": ASKED, "logprobs": True}, 400, "log-prob"),
    ({"messages": ASKED, "presence_penalty": 1}, 400, "repetition_penalty"),
    ({"messages": ASKED, "response_format": {"type": "json_object"}}, 400, "response_format"),
    ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "user"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, 400, "messages"),
    ({"messages": ASKED, "model": "nobody"}, 404, "nobody"),
]


@pytest.mark.parametrize(("body", "status", "word"), BAD)
def test_what_is_not_served_is_refused_in_a_sentence(url, body, status, word):
    answer = httpx.post(f"{url}/chat/completions", json=body)
    assert answer.status_code == status
    assert word in answer.json()["error"]["message"]


def test_bodies_that_are_no_requests(url):
    for content in (b"", b"{", b"[]", b"\xff\xfe", b'{"messages": 3}'):
        answer = httpx.post(f"{url}/chat/completions", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]
    assert httpx.post(f"{url}/chat/completions", content=b"x" * 1_000_001).status_code == 413
    assert httpx.get(f"{url}/elsewhere").status_code == 404
    assert "error" in httpx.get(f"{url}/elsewhere").json()
    assert httpx.post(f"{url}/completions", json={"prompt": ""}).status_code == 400


def test_foreign_names_foreign_pages_and_missing_keys_get_nothing(poet, url):
    port = int(url.split(":")[2].split("/")[0])
    for headers in ({"Host": "evil.example"}, {"Host": f"127.0.0.1:{port}", "Origin": "http://evil.example"}):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/v1/models", headers=headers)
        assert connection.getresponse().status == 403
        connection.close()
    with listening(poet, key="secret") as locked:
        assert httpx.get(f"{locked}/models").status_code == 401
        assert httpx.get(f"{locked}/models", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert httpx.get(f"{locked}/models", headers={"Authorization": "Bearer secret"}).status_code == 200


def test_a_full_queue_says_so(poet):
    full = Poet(poet.served, Queue(poet.queue._generator, 8, 1), USUAL)
    try:
        with listening(full) as url:
            answer = httpx.post(f"{url}/chat/completions", json={"messages": ASKED, "n": 2})
            assert answer.status_code == 429
            assert answer.headers["retry-after"]
            assert json.loads(answer.text)["error"]["code"] == "busy"
    finally:
        full.queue.close()
