import itertools
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from poetune.backends.policy import Limits, Policy, TryAgain, retry_after
from poetune.errors import JudgeError


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds


def policy(**limits):
    clock = Clock()
    return Policy(Limits(**limits), clock, clock.sleep), clock


def test_requests_and_tokens_a_minute_are_kept():
    asked, clock = policy(requests_per_minute=3)
    times = [asked.run(lambda: clock.now) for _ in range(7)]
    assert times == [1000.0] * 3 + [1060.0] * 3 + [1120.0]
    asked, clock = policy(tokens_per_minute=100)
    times = [asked.run(lambda: clock.now, tokens=40) for _ in range(5)]
    assert times == [1000.0, 1000.0, 1060.0, 1060.0, 1120.0]


def test_what_a_call_took_counts_and_not_what_was_guessed():
    asked, clock = policy(tokens_per_minute=100)
    for _ in range(4):
        asked.run(lambda: 10, tokens=60, used=lambda took: took)
    assert clock.now == 1000.0
    assert asked.run(lambda: clock.now, tokens=500) == 1060.0, "one beyond the whole limit goes alone"


def test_a_failed_call_waits_longer_each_time_and_then_its_error_is_raised():
    asked, clock = policy(retries=3)
    tried = []

    def fails():
        tried.append(clock.now)
        raise TryAgain(JudgeError("busy"))

    with pytest.raises(JudgeError, match="busy"):
        asked.run(fails)
    pauses = [b - a for a, b in itertools.pairwise(tried)]
    assert len(tried) == 4
    assert pauses[0] < pauses[1] < pauses[2]


def test_the_servers_own_wait_holds_everybody_back_and_patience_ends():
    asked, clock = policy(retries=9, patience=100)
    said = iter([TryAgain(JudgeError("slow down"), after=7.0), None])

    def once():
        error = next(said)
        if error:
            raise error
        return clock.now

    assert asked.run(once) == 1007.0

    def never():
        raise TryAgain(JudgeError("slow down"), after=40.0)

    with pytest.raises(JudgeError, match="slow down"):
        asked.run(never)
    assert clock.now == 1087.0, "a third wait would pass the patience of 100 s"


def test_no_more_calls_at_once_than_allowed():
    asked = Policy(Limits(concurrency=2))
    inside, most, gate = [], [], threading.Barrier(2)

    def call():
        inside.append(1)
        most.append(len(inside))
        gate.wait(5)
        inside.pop()

    threads = [threading.Thread(target=asked.run, args=(call,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2


def test_retry_after_in_all_its_forms():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after-ms": "250"}) == 0.25
    assert retry_after({"retry-after": "12"}) == 12.0
    assert 80 < (retry_after({"retry-after": soon}) or 0) <= 90
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
