"""Which poems a person is shown, and in which order."""

from collections.abc import Iterable, Sequence

from poetune.records import Candidate, digest


def queue(candidates: Sequence[Candidate], order: Iterable[str] = (), limit: int = 0, seed: int = 0) -> tuple[str, ...]:
    """Candidate ids to show: those in `order` (best first by the judge) first, the others after them, shuffled.

    The shuffle hangs on `seed` and the id alone, so that it tells nothing of model or template and a poem keeps its
    place when others join. Empty poems, failed ones and repeats of a text are left out; `limit` 0 = all.
    """
    known = {c.id: c for c in candidates}
    ranked = [known[i] for i in dict.fromkeys(order) if i in known]
    placed = {c.id for c in ranked}
    rest = sorted((c for c in known.values() if c.id not in placed), key=lambda c: digest("queue", seed, c.id))
    shown: list[str] = []
    texts: set[str] = set()
    for candidate in ranked + rest:
        text = candidate.text.strip()
        if text and candidate.stop != "error" and text not in texts:
            texts.add(text)
            shown.append(candidate.id)
    return tuple(shown[:limit] if limit else shown)
