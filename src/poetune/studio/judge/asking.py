"""Calls to a judge: reserved under the caps before they are sent, several at once, kept before they are used."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from poetune.errors import AnswerLost, JudgeError, PoetuneError
from poetune.judge import budget, prompting, verdicts
from poetune.judge.blocks import Ask, Contest
from poetune.judge.budget import Spent
from poetune.judge.rubric import Rubric, load_rubric
from poetune.ports import Ballot
from poetune.recipe import Judging
from poetune.records import Call, Candidate
from poetune.store.queries import calls as stored_calls
from poetune.store.queries import verdicts as stored_verdicts
from poetune.studio.house import Studio
from poetune.studio.judge.opening import Referee, opened

_SENDS = 3  # an answer lost on its way is asked for twice more, each time as a call of its own


class CapReached(Exception):  # noqa: N818
    """The next call could pass a cap; what was answered stands."""


class Asker:
    """Holds one contest with one judge. The store is used by one thread, judges are asked by several."""

    def __init__(self, studio: Studio, referee: Referee, settings: Judging, rubric: Rubric, contest: str) -> None:
        self._studio, self._referee, self._settings = studio, referee, settings
        self._rubric, self._contest = rubric, contest
        self._price = budget.price_of(referee.model, settings) if referee.model else None
        self._known = {v.id: v for v in stored_verdicts(studio.store, contest)}
        self._calls = {call.id: call for call in stored_calls(studio.store, contest)}
        self._spent = budget.spent(self._calls.values())

    @property
    def spent(self) -> Spent:
        """What the contest has taken so far, in this run and in earlier ones."""
        return self._spent

    def hold(self, game: Contest) -> list[str]:
        """The contest's order, best first. Raises CapReached at a cap, and the judge's and the contest's errors."""
        with self._pool() as pool:
            try:
                asks = next(game)
                while True:
                    asks = game.send(self._answers(pool, asks))
            except StopIteration as end:
                order: list[str] = end.value
                return order

    def all(self, asks: Sequence[Ask]) -> list[Ballot]:
        """Ballots of calls that hang on no other. Raises CapReached as `hold` does."""
        with self._pool() as pool:
            return self._answers(pool, asks)

    def _answers(self, pool: Executor, asks: Sequence[Ask]) -> list[Ballot]:
        """Ballots in the order asked; when a call fails or a cap is reached, those under way are still awaited."""
        todo = [(ask, 1) for ask in asks if ask.id not in self._known]
        self._studio.listener.advance(len(asks) - len(todo))
        running: dict[Future[Ballot], tuple[Ask, int, Call]] = {}
        try:
            while todo or running:
                while todo and len(running) < self._referee.at_once:
                    ask, send = todo[0]
                    call = self._reserved(ask, send)
                    if call is None:
                        if not running:
                            raise CapReached
                        break  # what is under way may take less than was reserved for it
                    todo.pop(0)
                    running[pool.submit(self._referee.judge.rank, ask.block, self._settings.rubric)] = ask, send, call
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    again = self._kept(future, *running.pop(future))
                    todo[:0] = again
        finally:
            for future in wait(running).done:  # paid for, so kept, whatever stopped the others
                with suppress(PoetuneError):
                    self._kept(future, *running[future])
        return [verdicts.ballot(self._known[ask.id]) for ask in asks]

    def _reserved(self, ask: Ask, send: int) -> Call | None:
        """The call, kept at the most it can take; None where it does not fit under a cap."""
        key = f"{ask.id}:{send}"
        while key in self._calls:  # of a process that was killed with this one under way
            send += 1
            key = f"{ask.id}:{send}"
        size = prompting.size(ask.block, self._rubric)
        model, most = self._referee.model, self._referee.most_tokens
        call = budget.reservation(key, self._contest, model, size if model else 0, most, self._price)
        if not budget.fits(self._spent, call, self._settings):
            return None
        self._studio.store.add([call])
        self._note(call)
        return call

    def _kept(self, future: Future[Ballot], ask: Ask, send: int, call: Call) -> list[tuple[Ask, int]]:
        """Commit an answer and what it took; a lost one is handed back to be asked again."""
        try:
            ballot = future.result()
        except AnswerLost:
            self._settle(replace(call, state="lost"))
            if send >= _SENDS:
                raise
            return [(ask, send + 1)]
        except PoetuneError:
            self._settle(replace(call, state="failed", prompt_tokens=0, completion_tokens=0, money=0.0))
            raise
        paid = budget.settled(call, ballot, self._price)
        judge, settings = self._referee.judge.name, self._settings
        said = verdicts.verdict(ask, ballot, judge, settings.rubric, self._studio.round.number)
        with self._studio.store.transaction():
            self._studio.store.add([said])
            self._settle(paid)
        self._known[ask.id] = said
        self._studio.listener.advance()
        return []

    def _settle(self, call: Call) -> None:
        self._studio.store.settle(call)
        self._note(call)

    def _note(self, call: Call) -> None:
        self._calls[call.id] = call
        self._spent = budget.spent(self._calls.values())

    @contextmanager
    def _pool(self) -> Iterator[Executor]:
        if self._referee.at_once == 1:  # an engine belongs to the thread that opened it
            yield _Here()
        else:
            with ThreadPoolExecutor(self._referee.at_once) as pool:
                yield pool


def ask(studio: Studio, asks: Sequence[Ask], poems: Sequence[Candidate], label: str) -> None:
    """Have the recipe's judge answer calls of one contest that are not stored yet, under the same caps.

    Raises JudgeError where a cap ends it; what was answered is kept.
    """
    settings = studio.recipe.judge
    rubric = load_rubric(settings.rubric, studio.folder / "rubrics")
    if not asks:
        return
    with opened(studio, settings, poems) as referee:
        asker = Asker(studio, referee, settings, rubric, asks[0].contest)
        studio.listener.begin(label, len(asks))
        try:
            asker.all(asks)
        except CapReached:
            raise JudgeError(
                f"the cap on judging was reached after {asker.spent.calls} calls; raise it, and what was answered is "
                "not asked again"
            ) from None
        finally:
            studio.listener.end()


class _Here(Executor):
    """Runs what it is given at once, in the thread that gives it."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
