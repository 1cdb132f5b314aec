"""What judges and people scored, and how far it can be relied on."""

from collections.abc import Iterable

from poetune.records import Review, Verdict
from poetune.review.state import Ledger
from poetune.score.sheet import Sheet, Value
from poetune.score.sheets import readers_sheet
from poetune.studio.house import Studio
from poetune.verse.agreement import alpha

Readings = dict[str, list[float]]


def readers(studio: Studio) -> Sheet:
    """A row for each judge and rubric, and for each criterion that people scored."""
    judged: dict[str, Readings] = {}
    for verdict in studio.store.all(Verdict):
        if verdict.status == "ok" and len(verdict.ranking) > 1:
            poems = judged.setdefault(f"{verdict.judge}, {verdict.rubric}", {})
            for place, poem in enumerate(verdict.ranking):
                poems.setdefault(poem, []).append(1 - place / (len(verdict.ranking) - 1))
    scored: dict[str, Readings] = {}
    for act in _standing(studio.store.all(Review)):
        for criterion, value in act.scores.items():
            poems = scored.setdefault(f"people, {act.rubric}: {criterion}", {})
            poems.setdefault(act.candidate, []).append(float(value))
    rows = [(label, _row(poems)) for label, poems in (*judged.items(), *scored.items())]
    said = []
    if rows and any(values[-1] is None for _, values in rows):
        said.append("No alpha where fewer than two poems were read twice, or where all readings say the same.")
    if judged and not scored:
        said.append("No person has scored poems on a rubric yet; review.rubric asks for it on the page.")
    return readers_sheet(rows, said)


def _row(poems: Readings) -> tuple[Value, ...]:
    every = [value for values in poems.values() for value in values]
    return len(poems), len(every), sum(every) / len(every), alpha(poems.values())


def _standing(rows: Iterable[Review]) -> list[Review]:
    """Every reader's scores that hold, repeats among them."""
    acts = list(rows)
    found = []
    for who in dict.fromkeys(act.reviewer for act in acts):
        ledger: Ledger[Review] = Ledger(who)
        for act in acts:
            ledger.add(act)
        found += [act for act in ledger.standing().values() if act.scores]
    return found
