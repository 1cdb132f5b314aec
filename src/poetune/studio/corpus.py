"""Files become poems in the store."""

from dataclasses import dataclass

from poetune.corpus import Intake, Preview, Skipped, preview, read
from poetune.errors import CorpusError
from poetune.records import Poem
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Taken:
    """What one reading added."""

    new: int
    total: int
    files: int
    dropped: int
    twins: list[tuple[str, str, float]]
    skipped: list[Skipped]
    notes: list[str]


def shown(studio: Studio) -> list[Preview]:
    """How files with several poems would fall into them."""
    _named(studio)
    return list(preview(studio.recipe.corpus, studio.folder))


def take_in(studio: Studio) -> Taken:
    """Read the recipe's files and add what is new."""
    _named(studio)
    found: Intake = read(studio.recipe.corpus, studio.folder)
    if not found.poems:
        reasons = "; ".join(f"{s.file} row {s.row}: {s.why}" for s in found.skipped[:3])
        raise CorpusError(
            f"no poem could be read from {', '.join(studio.recipe.corpus.files)}"
            + (f" ({reasons})" if reasons else "")
            + "; see docs/corpus.md for what can be read."
        )
    new = studio.store.add(found.poems)
    titles = {poem.id: poem.title or poem.text.split("\n")[0] for poem in found.poems}
    return Taken(
        new=new,
        total=studio.store.count(Poem),
        files=found.files,
        dropped=found.dropped,
        twins=[(titles.get(a, a), titles.get(b, b), share) for a, b, share in found.twins],
        skipped=list(found.skipped),
        notes=list(found.notes),
    )


def _named(studio: Studio) -> None:
    if not studio.recipe.corpus.files:
        raise CorpusError(
            "no files of poems are named; give them (`poetune corpus poems/`) or list them as corpus.files."
        )
