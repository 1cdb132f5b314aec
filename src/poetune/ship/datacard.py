"""The data card: what a model was trained on, counted; the poems themselves stay at home."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from poetune.records import Poem
from poetune.ship.biases import biases
from poetune.ship.markdown import plain, table

NAME = "DATA.md"


@dataclass(frozen=True, slots=True)
class DataCard:
    """What the data card is made of: the poems by split, the data set's id, and what its maker says of rights."""

    name: str
    dataset: str
    splits: Mapping[str, Sequence[Poem]] = field(default_factory=dict)
    rights: str = ""
    contact: str = ""


def datacard(made: DataCard) -> str:
    """The whole DATA.md."""
    poems = [poem for some in made.splits.values() for poem in some]
    return (
        "\n\n".join(
            [
                f"# Data of {plain(made.name)}",
                "The poems that the model was trained and measured on, counted. Their texts are not in this folder.",
                f"Data set {made.dataset or 'unknown'}. A poem's split follows from a hash of its words.",
                table(("split", "poems of the corpus", "accepted from rounds"), _splits(made.splits), 2),
                "## Where they come from",
                table(("source", "poems"), _sources(poems), 1) if poems else "No poems were given.",
                "## Rights",
                rights(poems, made.rights),
                "## What is in them",
                "\n".join(f"- {plain(sentence)}" for sentence in biases(poems)) or "No poems were given.",
                "## Contact",
                plain(made.contact) or "No contact was given.",
            ]
        )
        + "\n"
    )


def rights(poems: Sequence[Poem], said: str) -> str:
    """The maker's statement, and what the poems themselves record; that nothing is recorded is said too."""
    counts = Counter(poem.licence for poem in poems if poem.licence)
    recorded = ", ".join(f"{plain(name)} ({count:,})" for name, count in counts.most_common())
    without = len(poems) - counts.total()
    parts = [plain(said) or "The maker of this model makes no statement on the rights in the poems."]
    parts.append(
        f"Licences recorded with the poems: {recorded or 'none'}" + (f"; {without:,} have none." if without else ".")
    )
    return " ".join(parts)


def _splits(splits: Mapping[str, Sequence[Poem]]) -> list[tuple[str, str, str]]:
    rows = []
    for split, poems in splits.items():
        own = sum(poem.origin != "corpus" for poem in poems)
        rows.append((split, f"{len(poems) - own:,}", f"{own:,}"))
    return rows


def _sources(poems: Sequence[Poem]) -> list[tuple[str, str]]:
    """By file name alone: folders of this machine are nobody's business."""
    counts = Counter(
        poem.origin.replace("round:", "accepted in round ")
        if poem.origin != "corpus"
        else poem.source
        if poem.source.startswith("hub:")
        else PurePath(poem.source.replace("\\", "/")).name or "not recorded"
        for poem in poems
    )
    return [(name, f"{count:,}") for name, count in counts.most_common()]
