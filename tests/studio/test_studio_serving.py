"""One queue before the engine, and the names that models answer to."""

import threading

import pytest

from poetune.errors import EngineError
from poetune.ports import Request, Weights, Written
from poetune.records import Conversation, Sampling
from poetune.studio import Studio
from poetune.studio.serving import Busy, Queue

WAIT = 20


class Gate:
    """A generator that tells which requests it was given together, and waits for leave to write them."""

    def __init__(self):
        self.given, self.leave = [], threading.Semaphore(0)
        self.entered = threading.Semaphore(0)

    def render(self, weights, conversation):
        if conversation.raw == "bad":
            raise EngineError("no such template")
        return [1, 2, 3]

    def generate(self, requests):
        requests = list(requests)
        self.given.append([r.conversation.raw for r in requests])
        self.entered.release()
        assert self.leave.acquire(timeout=WAIT)
        for request in requests:
            if request.conversation.raw == "crash":
                raise ZeroDivisionError("by zero")
            yield Written(request.id, request.conversation.raw.upper(), "eos", 2)


def ask(*texts):
    return [Request("", Weights("b"), Conversation(raw=text), Sampling(), 0) for text in texts]


class Client:
    def __init__(self):
        self.events, self.finished = [], threading.Event()

    def __call__(self, event):
        self.events.append(event)
        if event.kind in ("done", "failed"):
            self.finished.set()

    def end(self):
        assert self.finished.wait(WAIT)
        return self.events[-1]


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def queue(gate):
    queue = Queue(gate, batch=3, most=4)
    yield queue
    for _ in range(20):
        gate.leave.release()
    queue.close(WAIT)


def test_what_waits_is_written_together_and_told_to_its_own_client(gate, queue):
    first, *others = clients = [Client() for _ in range(4)]
    queue.put(ask("a"), first)
    assert gate.entered.acquire(timeout=WAIT)
    for client, text in zip(others, "bcd", strict=True):
        queue.put(ask(text), client)
    for _ in range(3):
        gate.leave.release()
    assert [client.end().written.text for client in clients] == list("ABCD")
    assert gate.given == [["a"], ["b", "c", "d"]]
    assert [event.kind for event in first.events] == ["begun", "done"]
    assert first.events[0].tokens == 3


def test_more_than_may_wait_is_refused_and_what_nobody_waits_for_is_not_written(gate, queue):
    first, gone, kept = Client(), Client(), Client()
    queue.put(ask("a"), first)
    assert gate.entered.acquire(timeout=WAIT)
    order = queue.put(ask("b", "c"), gone)
    queue.put(ask("d"), kept)
    with pytest.raises(Busy, match="4 poems are waiting"):
        queue.put(ask("e", "f"), Client())
    order.cancel()
    gate.leave.release()
    gate.leave.release()
    assert kept.end().written.text == "D"
    assert gate.given == [["a"], ["d"]]
    assert gone.events == []


def test_one_clients_mistake_is_its_own_and_a_crash_ends_no_server(gate, queue):
    bad, crashed, after = Client(), Client(), Client()
    queue.put(ask("bad"), bad)
    failed = bad.end()
    assert (failed.kind, failed.error, failed.fault) == ("failed", "no such template", False)
    queue.put(ask("crash"), crashed)
    gate.leave.release()
    assert crashed.end().fault
    assert "ZeroDivisionError" in crashed.events[-1].error
    queue.put(ask("x"), after)
    gate.leave.release()
    assert after.end().written.text == "X"


def test_closing_ends_what_is_in_work_and_tells_those_that_wait(gate, queue):
    working, waiting = Client(), Client()
    queue.put(ask("a"), working)
    assert gate.entered.acquire(timeout=WAIT)
    queue.put(ask("b"), waiting)
    threading.Timer(0.05, gate.leave.release).start()
    queue.close(WAIT)
    assert working.end().written.text == "A"
    assert waiting.end().kind == "failed"
    with pytest.raises(Busy, match="stopping"):
        queue.put(ask("c"), Client())


def test_models_answer_to_their_names_and_best_is_the_best(project):
    with Studio(project, ["finetune.steps=20", "finetune.checkpoint_every=10", "finetune.validate_every=10"]) as studio:
        assert list(studio.served().weights) == ["best", "base"]
        assert studio.served().find("").adapter == ""
        studio.dataset()
        studio.finetune()
        found = studio.served()
        assert list(found.weights)[:2] == ["best", "base"]
        assert len(found.weights) == 4
        assert found.find("best") in [found.weights[name] for name in list(found.weights)[2:]]
        with pytest.raises(EngineError, match="no model 'nobody'"):
            found.find("nobody")
