"""The writing desk: poems on a theme or from a first line, and single lines anew, for a page.

Each poem is kept like one of `poetune write`, with its model, prompt and seed. The engine is opened at the first wish.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Event as Signal
from threading import Lock

from poetune.errors import EngineError, ReviewError
from poetune.generate.again import place
from poetune.generate.asked import check_asked
from poetune.generate.grid import SEEDS, Cell, filled
from poetune.ports import Request, Written
from poetune.records import Candidate, Prompt
from poetune.studio import prompting
from poetune.studio.holding import Holding
from poetune.studio.house import Studio
from poetune.studio.serving import Busy, Event, Queue, served

MOST = 8  # poems at once
PATIENCE = 600.0  # seconds
FORMS = {"free": 0, "couplet": 2, "quatrain": 4, "octave": 8, "fourteen": 14}  # most lines; 0 = the model's own end


@dataclass(frozen=True, slots=True)
class Penned:
    """A poem on the desk: its candidate's id, title and text."""

    id: str
    title: str
    text: str


class Pen:
    """Writes for several browser tabs, one wish after the other."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._served = studio, served(studio)
        self._holding = Holding(studio.store.path)
        self._queue: Queue | None = None
        self._lock = Lock()
        self.template = studio.recipe.generate.templates[0]
        self.verse = prompting.template(studio, self.template).verse
        self.models = tuple(self._served.weights)

    def poems(self, theme: str, first_line: str, form: str, count: int, model: str) -> list[Penned]:
        """`count` poems. Raises ReviewError for what cannot be asked, EngineError where the engine fails."""
        theme, first_line = theme.strip(), first_line.strip()
        if not (theme or first_line) or (self.verse and not first_line):
            raise ReviewError(
                "Give a first line; this model goes on from one." if self.verse else "Give a theme or a first line."
            )
        prompt = self._prompt(theme, f"{first_line}\n" if first_line else "")
        return [Penned(c.id, c.title, c.text) for c in self._write(prompt, model, count, FORMS.get(form, 0))]

    def lines(self, theme: str, text: str, line: int, count: int, model: str) -> list[str]:
        """The poem with its `line`-th line (from 1) written anew, up to `count` ways that differ."""
        try:
            at = place(text, line)
        except EngineError as error:
            raise ReviewError(str(error)) from None
        prompt = self._prompt(theme.strip() or text.strip().split("\n")[0], at.before)
        written = self._write(prompt, model, count, line)
        found = dict.fromkeys(new for candidate in written if (new := at.new_line(candidate)))
        return [at.before + new + at.after for new in found]

    def close(self) -> None:
        """Let what is being written end, and close the database."""
        if self._queue is not None:
            self._queue.close()
        self._holding.close()

    def _prompt(self, theme: str, opening: str) -> Prompt:
        try:
            check_asked([each for each in (theme, opening) if each], "the writing desk")
        except Exception as error:
            raise ReviewError(str(error)) from None
        system = "" if self.verse else prompting.systems(self._studio)[0]
        return Prompt("" if self.verse else theme, self.template, system, opening)

    def _write(self, prompt: Prompt, model: str, count: int, lines: int) -> list[Candidate]:
        asked = self._served.models.get(model)
        if asked is None:
            raise ReviewError(f"There is no model {model!r} here; reload the page.")
        if not 1 <= count <= MOST:
            raise ReviewError(f"Up to {MOST} poems are written at once.")
        usual = self._studio.recipe.generate.sampling()
        sampling = replace(usual, max_lines=lines or usual.max_lines, beams=1)
        seeds = [secrets.randbelow(SEEDS) for _ in range(count)]
        cells = [
            Cell(Candidate.cell(asked.id, prompt.id, sampling, seed), asked, prompt, sampling, seed) for seed in seeds
        ]
        conversation = prompting.conversation(self._studio, prompt)
        weights = self._served.weights[model]
        found = self._ask([Request(cell.id, weights, conversation, sampling, cell.seed) for cell in cells])
        poems = [filled(cell, written, round_number=0) for cell, written in zip(cells, found, strict=True)]
        with self._holding.open() as store:
            store.add([prompt])
            store.add([asked])
            store.add(poems)
        return poems

    def _ask(self, requests: Sequence[Request]) -> list[Written]:
        done: dict[int, Written] = {}
        failed: list[str] = []
        ended = Signal()

        def tell(heard: Event) -> None:
            if heard.kind == "failed":
                failed.append(heard.error)
            elif heard.written is not None:
                done[heard.place] = heard.written
            if failed or len(done) == len(requests):
                ended.set()

        try:
            order = self._open().put(requests, tell)
        except Busy as error:
            raise ReviewError(f"{str(error).capitalize()}.") from None
        if not ended.wait(PATIENCE):
            order.cancel()
            raise EngineError("the poem was not written in ten minutes; ask for fewer, or for fewer lines")
        if failed:
            raise EngineError(failed[0])
        return [done[i] for i in range(len(requests))]

    def _open(self) -> Queue:
        with self._lock:
            if self._queue is None:
                self._queue = Queue(self._studio.generator(), self._studio.recipe.generate.batch, 8 * MOST)
            return self._queue
