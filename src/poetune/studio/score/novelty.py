"""How new, how varied and how much to the theme the poems are, beside the poet."""

from collections.abc import Mapping, Sequence

from poetune.records import Candidate, Model, Poem, Prompt
from poetune.score.sheet import Sheet, Value
from poetune.score.sheets import authors_sheet, novelty_sheet, theme_sheet, variety_sheet
from poetune.studio.house import Studio
from poetune.studio.score.measuring import authors
from poetune.studio.score.models import examples
from poetune.verse.diversity import distinct_at, openings_at, spread, spread_within, windows
from poetune.verse.grams import GramIndex
from poetune.verse.nearest import Neighbours
from poetune.verse.overlap import LineIndex
from poetune.verse.selfbleu import self_bleu
from poetune.verse.theme import ranked, spoken

Sets = Mapping[str, Sequence[Candidate]]
OWN = "the poet, held out"
POET = "the poet"
NEAREST = 3  # pairs of neighbours that are named
FEWEST, MOST = 8, 50  # poems that variety is measured over


def novelty(studio: Studio, best: Model, sets: Sets) -> Sheet:
    """Copied lines and runs with their sources, and nearest neighbours."""
    rows = examples(studio, best)
    poems = {p.id: p for p in studio.store.all(Poem)}
    learned = [poems[k] for k in dict.fromkeys(r.poem for r in rows if r.split == "train") if k in poems]
    apart = [poems[k] for k in dict.fromkeys(r.poem for r in rows if r.split != "train") if k in poems]
    if not learned:
        return novelty_sheet((), ("There is no training poem to look for copies in.",))
    texts = {p.id: p.text for p in learned}
    settings = studio.recipe.score
    index = LineIndex(texts, settings.copied_words, settings.copied_characters)
    grams, near = GramIndex(texts), Neighbours(texts)
    openings = {p.id: p.opening for p in studio.store.all(Prompt)}
    found = {label: [c.text.removeprefix(openings.get(c.prompt, "")) for c in some] for label, some in sets.items()}
    table = [(label, _new(some, index, grams, near)) for label, some in found.items() if some]
    if apart:
        table.append((OWN, _new([p.text for p in apart], index, grams, near)))
    titles = {p.id: p.title or "untitled" for p in learned}
    said = [] if apart else ["No poem was held out, so it cannot be said how far the poet repeats himself."]
    last = list(found)[-1] if found else ""
    closest = sorted(
        ((n.likeness, c.title or "untitled", n.key) for c in sets.get(last, ()) if (n := near.nearest(c.text))),
        reverse=True,
    )
    said += [
        f"“{title}” stands nearest to “{titles[key]}” ({likeness:.2f})." for likeness, title, key in closest[:NEAREST]
    ]
    runs = sorted(
        (
            (run.units, run.text, titles[run.source], run.original)
            for text in found.get(last, ())
            for run in grams.runs(text)[:1]
        ),
        reverse=True,
    )
    said += [f"Longest copied run: “{text}”, in “{title}” ({line})." for _, text, title, line in runs[:NEAREST]]
    return novelty_sheet(table, said)


def _new(texts: Sequence[str], index: LineIndex, grams: GramIndex, near: Neighbours) -> tuple[Value, ...]:
    countable = sum(map(index.countable, texts))
    copied = sum(len(index.copied(text)) for text in texts)
    weights = [max(0, len(windows([text], grams.n))) for text in texts]
    shares = [grams.share(text) for text in texts]
    likeness = [found.likeness for text in texts if (found := near.nearest(text))]
    return (
        len(texts),
        copied / countable if countable else None,
        sum(s * w for s, w in zip(shares, weights, strict=True)) / sum(weights) if sum(weights) else None,
        sum(likeness) / len(likeness) if likeness else None,
        max(likeness, default=None),
    )


def variety(studio: Studio, sets: Sets, wide: Sets) -> Sheet:
    """Distinct-n, self-BLEU and spread over as much text, and as many poems, for each set and the poet.

    `wide` has all that the writers of the sets wrote, for the spread within a theme.
    """
    prompts = {p.id: p for p in studio.store.all(Prompt)}
    poet = [p.text for p in studio.store.all(Poem) if p.origin == "corpus"]
    texts = {POET: poet, **{label: [c.text for c in some if c.text.strip()] for label, some in sets.items()}}
    texts = {label: some for label, some in texts.items() if some}
    size = min([MOST, *(len(some) for some in texts.values())])
    if size < FEWEST:
        least = min(texts, key=lambda label: len(texts[label]), default="")
        return variety_sheet(
            (), size, (f"Too few poems ({size} {least}) to say how varied they are; from {FEWEST} on.",)
        )
    filled = {n: min(len(windows(some, n)) for some in texts.values()) for n in (1, 2, 3)}
    rows: list[tuple[str, tuple[Value, ...]]] = []
    for label, some in texts.items():
        themes: dict[str, list[str]] = {}
        for poem in wide.get(label, ()):
            themes.setdefault(prompts[poem.prompt].theme if poem.prompt in prompts else "", []).append(poem.text)
        distinct = [distinct_at(some, n, filled[n]) for n in (1, 2, 3)]
        within = spread_within(themes)
        rows.append((label, (*distinct, self_bleu(some, size), spread(some), within, openings_at(some, size))))
    return variety_sheet(rows, size)


def themes(studio: Studio, sets: Sets) -> Sheet:
    """Whether poems have a word of their theme; with an embedding model, whether they are nearer to it in sense."""
    prompts = {p.id: p.theme for p in studio.store.all(Prompt)}
    folder = studio.recipe.score.embedder
    rows: list[tuple[str, tuple[Value, ...]]] = []
    said: list[str] = []
    embedder = None
    if folder:
        from poetune.backends.table import open_embedder

        embedder = open_embedder((studio.folder / folder).resolve())
    for label, some in sets.items():
        asked = [(c.text, prompts.get(c.prompt, "")) for c in some if c.text.strip() and prompts.get(c.prompt)]
        found = spoken([text for text, _ in asked], [theme for _, theme in asked])
        if found.share is None or found.interval is None:
            continue
        row: tuple[Value, ...] = (found.poems, (found.share, *found.interval), found.chance)
        if embedder is not None:
            row = (*row, ranked(embedder.likeness([text for text, _ in asked], [theme for _, theme in asked])))
        rows.append((label, row))
    if rows and embedder is None:
        said.append("By words alone; score.embedder names the folder of a local embedding model, for the sense.")
    return theme_sheet(rows, embedder is not None, said)


def whose(studio: Studio, sets: Sets) -> Sheet | None:
    """The author classifier's table; None where the corpus has one poet only, or too few poems of a second."""
    found = authors(studio)
    if found is None:
        return None
    shares = {}
    for label, some in sets.items():
        named = [each.author for each in found.attribute([c.text for c in some if c.text.strip()])]
        if named:
            shares[label] = {name: named.count(name) / len(named) for name in found.names}
    return authors_sheet(found.names, shares, found.tested.accuracy, found.tested.poems, found.tested.calibration)
