"""What the corpus over-represents, as sentences that are counted from the poems and claim nothing else."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from poetune.records import Poem
from poetune.verse.lines import language, lines, units

_LANGUAGES = {"en": "English", "zh": "Chinese"}
MOST_VALUES = 24  # a tag with more values, or with each value once, is a label and no class
SHOWN = 5


def biases(poems: Sequence[Poem]) -> list[str]:
    """Sentences on size, languages, authors, tags, themes, length, sources and licences; [] without poems."""
    if not poems:
        return []
    sizes = [len(units(poem.text)) for poem in poems]
    heights = [len(lines(poem.text)) for poem in poems]
    said = [f"{_count(len(poems), 'poem')} of {sum(sizes):,} words (each Chinese character counts as one)."]
    said.append(f"Languages: {_shares(spoken(poems), len(poems), names=_LANGUAGES)}.")
    said += _authors(poems)
    said += _tags(poems)
    themes = Counter(poem.theme for poem in poems if poem.theme)
    if themes:
        common = f"; the commonest: {_shares(themes, len(poems))}" if max(themes.values()) > 1 else ""
        said.append(f"{_count(len(themes), 'different theme')}{common}.")
    said.append(
        f"The median poem has {statistics.median(heights):g} lines; the shortest {min(heights):,}, "
        f"the longest {max(heights):,}."
    )
    licences = Counter(poem.licence for poem in poems if poem.licence)
    without = len(poems) - licences.total()
    if licences:
        said.append(f"Licences: {_shares(licences, len(poems))}.")
    if without:
        said.append(f"No licence is recorded for {_of(without, len(poems))}.")
    return said


def spoken(poems: Iterable[Poem]) -> Counter[str]:
    """How many poems there are in each language code ("" where it is not known)."""
    return Counter(poem.language or language(poem.text) for poem in poems)


def _authors(poems: Sequence[Poem]) -> list[str]:
    authors = Counter(poem.author for poem in poems if poem.author)
    nameless = len(poems) - authors.total()
    said = []
    if len(authors) == 1 and not nameless:
        said.append(f"All poems are by one author, {next(iter(authors))}: the corpus holds no second voice.")
    elif authors:
        said.append(f"{_count(len(authors), 'author')}; the most present: {_shares(authors, len(poems))}.")
    if nameless:
        said.append(f"No author is recorded for {_of(nameless, len(poems))}.")
    return said


def _tags(poems: Sequence[Poem]) -> list[str]:
    by_tag: dict[str, Counter[str]] = {}
    for poem in poems:
        for tag, value in (*poem.tags.items(), *((("form", poem.form),) if poem.form else ())):
            if value:
                by_tag.setdefault(tag, Counter())[value] += 1
    return [
        f"{tag.capitalize()}: {_shares(values, len(poems))}."
        for tag, values in sorted(by_tag.items())
        if len(values) <= MOST_VALUES and max(values.values()) > 1
    ]


def _shares(counts: Counter[str], total: int, names: Mapping[str, str] | None = None) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{(names or {}).get(name, name) or 'unknown'} {n / total:.0%}" for name, n in ordered[:SHOWN]]
    rest = sum(n for _, n in ordered[SHOWN:])
    return ", ".join(shown) + (f", others {rest / total:.0%}" if rest else "")


def _of(part: int, total: int) -> str:
    return "any poem" if part == total else f"{part:,} of {total:,} poems"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
