"""One thread that writes for all: requests that wait are written together, as many as the engine takes at once.

The engine is used from this thread alone. What a request is told goes to its own callback, from this thread.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from poetune.errors import PoetuneError
from poetune.ports import Generator, Request, Written


class Busy(PoetuneError):  # noqa: N818  a state, told as a sentence
    """The queue is full, or closing."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a request is told: `begun` (with its prompt's tokens), `text` (so far), `done` (Written), `failed`."""

    kind: Literal["begun", "text", "done", "failed"]
    place: int = 0
    text: str = ""
    tokens: int = 0
    written: Written | None = None
    error: str = ""
    fault: bool = False  # of the server, not of what was asked


class Order:
    """Poems that one client asked for together."""

    def __init__(self, requests: Sequence[Request], tell: Callable[[Event], None]) -> None:
        self.requests, self.tell = tuple(requests), tell
        self.left = len(self.requests)
        self.cancelled = False

    def cancel(self) -> None:
        """Nobody waits for it any more; what has not begun is not written."""
        self.cancelled = True


class Queue:
    """At most `batch` poems in work and `most` waiting."""

    def __init__(self, generator: Generator, batch: int, most: int) -> None:
        self._generator, self._batch, self._most = generator, batch, most
        self._waiting: deque[Order] = deque()
        self._ready = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._work, name="poet", daemon=True)
        self._thread.start()

    def put(self, requests: Sequence[Request], tell: Callable[[Event], None]) -> Order:
        """Ask for poems. Raises Busy where the queue is full or closing."""
        order = Order(requests, tell)
        with self._ready:
            if not self._open:
                raise Busy("the server is stopping; ask again when it runs")
            if sum(len(each.requests) for each in self._waiting) + len(requests) > self._most:
                raise Busy(f"{self._most} poems are waiting already; ask again in a moment")
            self._waiting.append(order)
            self._ready.notify()
        return order

    def close(self, seconds: float = 30.0) -> None:
        """Take no more, tell those that wait, and let what is being written end, for at most `seconds`."""
        with self._ready:
            self._open = False
            waiting = list(self._waiting)
            self._waiting.clear()
            self._ready.notify()
        for order in waiting:
            order.tell(Event("failed", error="the server is stopping; ask again when it runs", fault=True))
        self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._ready:
                while self._open and not self._waiting:
                    self._ready.wait()
                if not self._waiting:
                    return
                orders = self._next()
            self._write(orders)

    def _next(self) -> list[Order]:
        """The orders that fill the engine's batch, the oldest first; at least one."""
        taken: list[Order] = []
        room = self._batch
        while self._waiting and (not taken or len(self._waiting[0].requests) <= room):
            order = self._waiting.popleft()
            if not order.cancelled:
                taken.append(order)
                room -= len(order.requests)
        return taken

    def _write(self, orders: Sequence[Order]) -> None:
        owner: dict[str, tuple[Order, int]] = {}
        requests = []
        for number, order in enumerate(orders):
            try:
                read = [len(self._generator.render(each.weights, each.conversation)) for each in order.requests]
            except Exception as error:
                _fail([order], error)
                continue
            order.tell(Event("begun", tokens=read[0]))
            for place, request in enumerate(order.requests):
                name = f"{number}:{place}"
                owner[name] = order, place
                heard = _heard(order, place) if request.heard else None
                requests.append(replace(request, id=name, heard=heard))
        if not requests:
            return
        try:
            for written in self._generator.generate(requests):
                order, place = owner.pop(written.id)
                order.tell(Event("done", place, written=written))
        except Exception as error:
            _fail({id(order): order for order, _ in owner.values()}.values(), error)


def _heard(order: Order, place: int) -> Callable[[str], None]:
    return lambda text: order.tell(Event("text", place, text))


def _fail(orders: Iterable[Order], error: Exception) -> None:
    known = isinstance(error, PoetuneError)
    sentence = str(error) if known else f"the engine failed ({type(error).__name__}: {error})"
    for order in orders:
        order.tell(Event("failed", error=sentence, fault=not known))
