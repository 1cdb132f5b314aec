"""Sets of poems measured side by side: voice, novelty and variety, with the same poet and the same training poems."""

from collections.abc import Mapping, Sequence

from poetune.errors import CorpusError
from poetune.records import Candidate, Poem, digest
from poetune.score.contents import Figures
from poetune.score.voice import voice
from poetune.studio.house import Studio
from poetune.studio.score.copies import copied
from poetune.studio.score.models import best_or_fail, examples
from poetune.verse.authorship import FEWEST, Authors
from poetune.verse.diversity import distinct_at, windows
from poetune.verse.lines import lines


def measured(studio: Studio, sets: Mapping[str, Sequence[Candidate]]) -> tuple[list[Figures], list[str]]:
    """Figures of each set, and what has to be said of them, among it why a figure is missing."""
    best = best_or_fail(studio)
    rows = examples(studio, best)
    poems = [p for p in studio.store.all(Poem) if p.origin == "corpus"]
    texts = {label: [c.text for c in found if c.text.strip()] for label, found in sets.items()}
    tables = voice([p.text for p in poems], texts)
    excess = {}
    for table in tables[:1]:
        row = next((row for row in table.rows if row.figure == "Burrows's Delta"), None)
        excess = dict(zip(table.columns, row.excess, strict=True)) if row else {}
    said = [table.said for table in tables if table.said]
    shares, why = named(studio, texts)
    size = min((len(windows(some, 2)) for some in texts.values() if some), default=0)
    copies = {row.label: row for row in copied(studio, {k: list(v) for k, v in sets.items()}, rows).rows}
    return [
        Figures(
            label=label,
            poems=len(found),
            ended=sum(c.stop == "eos" for c in found) / len(found) if found else 0.0,
            lines=sum(len(lines(c.text)) for c in found) / len(found) if found else 0.0,
            delta=excess.get(label),
            named=shares.get(label),
            copied=copies[label].share,
            variety=distinct_at(texts[label], 2, size),
            countable=copies[label].lines,
        )
        for label, found in sets.items()
    ], [*said, *([why] if why else [])]


def named(studio: Studio, texts: Mapping[str, Sequence[str]]) -> tuple[dict[str, float], str]:
    """The share of each set that the author classifier gives to the poet who has most poems, and what it rests on."""
    by = _by_author(studio)
    found = authors(studio)
    if found is None:
        return {}, f"No author classifier: it needs two poets with at least {FEWEST} poems each."
    poet = max(found.names, key=lambda name: (len(by[name]), name))
    shares = {
        label: sum(each.author == poet for each in found.attribute(some)) / len(some)
        for label, some in texts.items()
        if some
    }
    tested = found.tested
    return shares, (
        f"“named” is the share that a classifier gives to {poet}; of the corpus's own {tested.poems} poems by "
        f"{len(found.names)} poets it names {tested.accuracy:.0%} right, each while left out."
    )


def authors(studio: Studio) -> Authors | None:
    """The classifier of the corpus's poets, learned once a process; None where there are not two with enough poems."""
    by = _by_author(studio)
    key = digest("authors", by)
    if key not in _LEARNED:
        try:
            _LEARNED[key] = Authors(by)
        except CorpusError:
            _LEARNED[key] = None
    return _LEARNED[key]


_LEARNED: dict[str, Authors | None] = {}


def _by_author(studio: Studio) -> dict[str, list[str]]:
    by: dict[str, list[str]] = {}
    for poem in studio.store.all(Poem):
        if poem.origin == "corpus" and poem.author:
            by.setdefault(poem.author, []).append(poem.text)
    return by
