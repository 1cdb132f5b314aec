"""A reviewer's desk: the poem that lies on it, and decisions that are on disk before the next one is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from poetune.errors import ReviewError, StoreError
from poetune.records import Candidate, Model, Poem, Prompt, Review
from poetune.review import Item, Line, difference, edit
from poetune.review.agreement import with_oneself
from poetune.review.marks import marked
from poetune.review.rates import name_of
from poetune.review.view import Copies, Draft, Outcome, Progress, Sheet, Told, View
from poetune.studio.sitting import Sitting, utc
from poetune.verse.lines import language
from poetune.verse.overlap import LineIndex


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader is asked beside the decision: reasons on keys 1 to 5, and scores on a rubric's criteria."""

    reasons: tuple[str, ...] = ()
    rubric: str = ""
    criteria: tuple[tuple[str, str], ...] = ()  # name, and the question that it asks


class Desk:
    """One reviewer before one queue, best first; decided poems stay in it, so that an undo reaches them.

    Safe for several threads, tabs and processes. Raises ReviewError for an empty queue or a name with markup.
    """

    def __init__(
        self,
        store_path: Path,
        queue: Sequence[Item],
        reviewer: str = "",
        asked: Asked | None = None,
        clock: Callable[[], datetime] = utc,
    ) -> None:
        self.asked = asked or Asked()
        self.reviewer = edit.reviewer(reviewer)
        self._items = {item.subject: item for item in queue}
        if not self._items:
            raise ReviewError("There is no poem to review yet; run `poetune generate` first.")
        self._repeats = [item for item in self._items.values() if item.drawn == "repeat"]
        self._sitting: Sitting[Review] = Sitting(Review, store_path, list(self._items), self.reviewer, clock)
        store = self._sitting.holding.store
        missing = {item.candidate for item in self._items.values()} - store.ids(Candidate)
        if missing:
            self.close()
            raise StoreError(
                f"{len(missing)} poems of the queue are not in {store_path}; "
                "run `poetune review` again for a new queue."
            )
        self._corpus = {poem.id: poem for poem in store.all(Poem)}
        self._index = LineIndex({poem.id: poem.text for poem in self._corpus.values()})

    def close(self) -> None:
        """Close the database."""
        self._sitting.close()

    def current(self, again: bool = False) -> View:
        """What to show: the first undecided poem, or with `again`, when none is left, the one skipped longest ago."""
        with self._sitting.open():
            return self._view(self._next(again))

    def progress(self) -> Progress:
        """How far the reader is."""
        with self._sitting.open():
            return self._progress()

    def changes(self, item: str, body: str) -> list[Line]:
        """What an edit of the body changes; nothing is kept."""
        with self._sitting.open():
            written = self._written(item)
        return difference(written.text, edit.body(body, written) or written.text)

    def decide(
        self,
        token: str,
        item: str,
        action: Literal["accept", "reject", "skip"],
        title: str | None = None,
        body: str | None = None,
        note: str = "",
        reasons: Sequence[str] = (),
        scores: Mapping[str, int] | None = None,
        again: bool = False,
    ) -> Outcome:
        """Record a decision; it is on disk on return. A skipped poem can be decided later, another only after an undo.

        Raises ReviewError for an unknown item, an empty or overlong edit, an unknown reason or criterion, or a token
        that stands for another act.
        """
        with self._sitting.open():
            written = self._written(item)
            graded = edit.scores(scores or {}, [name for name, _ in self.asked.criteria])
            act = Review(
                token,
                written.id,
                action,
                self.reviewer,
                edit.title(title, written),
                edit.body(body, written),
                edit.note(note),
                at=self._sitting.now(),
                reasons=edit.reasons(reasons, self.asked.reasons),
                rubric=self.asked.rubric if graded else "",
                scores=graded,
                drawn=self._items[item].drawn,
            )
            status = self._sitting.record(act)
            return Outcome(status, self._view(self._next(again)))

    def undo(self, token: str, again: bool = False) -> Outcome:
        """Cancel this reviewer's latest act that holds, also one of an earlier day, and show its poem again."""
        with self._sitting.open():
            status, opened = self._sitting.cancel(
                token, lambda target, fields: Review(candidate=target.candidate, drawn=target.drawn, **fields)
            )
            return Outcome(status, self._view(opened or self._next(again)))

    # below, the sitting is held --------------------------------------------------------------------------------------

    def _next(self, again: bool) -> str | None:
        return self._sitting.next(again, self._waits)

    def _waits(self, subject: str) -> bool:
        """A repeat waits until its poem was decided."""
        item = self._items[subject]
        return item.drawn == "repeat" and self._sitting.ledger.action(item.candidate) not in ("accept", "reject")

    def _view(self, subject: str | None) -> View:
        steady = None
        if subject is None and (found := with_oneself(self._sitting.ledger.standing().values())):
            steady = (found[0].same.part, found[0].same.whole)
        return View(self._sheet(subject) if subject else None, self._progress(), self._told(), steady)

    def _sheet(self, subject: str) -> Sheet:
        candidate = self._written(subject)
        held = self._sitting.ledger.held(subject)
        begun = self._sitting.ledger.undone(subject) or held
        prompt = self._sitting.holding.store.one(Prompt, candidate.prompt)
        return Sheet(
            subject,
            candidate.title,
            candidate.text,
            prompt.theme if prompt else "",
            language(candidate.text) or language(candidate.title),
            held is not None and held.action == "skip",
            self._copies(candidate),
            Draft(begun.title, begun.body, begun.note, begun.reasons, dict(begun.scores)) if begun else None,
        )

    def _copies(self, candidate: Candidate) -> Copies | None:
        found = [c for c in self._index.copied(candidate.text) if self._corpus[c.source].parent != candidate.id]
        if not found:
            return None
        sources = list(dict.fromkeys(copy.source for copy in found))
        poems = [self._corpus[source] for source in sources]
        names = [" — ".join(part for part in (poem.title, poem.author) if part) or poem.source for poem in poems]
        return Copies(marked(candidate.text, found, sources), tuple(names))

    def _progress(self) -> Progress:
        waiting = sum(
            self._sitting.ledger.action(item.candidate) == "skip" and self._sitting.ledger.action(item.subject) is None
            for item in self._repeats
        )
        return self._sitting.progress(waiting)

    def _told(self) -> Told | None:
        act = self._sitting.ledger.last(self._sitting.among)
        if act is None:
            return None
        store = self._sitting.holding.store
        candidate = self._written(act.subject)
        model = store.one(Model, candidate.model)
        prompt = store.one(Prompt, candidate.prompt)
        title = candidate.title if act.title is None else act.title
        edited = act.title is not None or act.body is not None
        if act.action == "skip" or model is None or prompt is None:  # a skipped poem is still to be read blind
            return Told(act.action, title, "", "", edited)
        return Told(act.action, title, name_of(model), prompt.template, edited)

    def _written(self, item: str) -> Candidate:
        place = self._items.get(item)
        found = self._sitting.holding.store.one(Candidate, place.candidate) if place else None
        if found is None:
            raise ReviewError("This poem is not in the queue; reload the page.")
        return found
