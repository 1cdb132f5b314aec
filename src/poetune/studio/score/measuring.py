"""Sets of poems measured side by side: voice, novelty and variety, with the same poet and the same training poems."""

from collections.abc import Mapping, Sequence

from poetune.errors import CorpusError
from poetune.records import Candidate, Poem
from poetune.score.contents import Figures
from poetune.score.voice import voice
from poetune.studio.house import Studio
from poetune.studio.score.copies import copied
from poetune.studio.score.models import best_or_fail, examples
from poetune.verse.authorship import Authors
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
    by: dict[str, list[str]] = {}
    for poem in studio.store.all(Poem):
        if poem.origin == "corpus" and poem.author:
            by.setdefault(poem.author, []).append(poem.text)
    try:
        authors = Authors(by)
    except CorpusError as error:
        return {}, f"No author classifier: {error}"
    poet = max(authors.names, key=lambda name: (len(by[name]), name))
    shares = {
        label: sum(found.author == poet for found in authors.attribute(some)) / len(some)
        for label, some in texts.items()
        if some
    }
    tested = authors.tested
    return shares, (
        f"“named” is the share that a classifier gives to {poet}; of the corpus's own {tested.poems} poems by "
        f"{len(authors.names)} poets it names {tested.accuracy:.0%} right, each while left out."
    )
