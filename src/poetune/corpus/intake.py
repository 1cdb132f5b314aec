"""What a reading gives back, and the rows that pass between its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from poetune.records import Poem


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was left out. `row` counts poems from 1 (lines in JSON lines); 0 means the whole file."""

    file: str
    row: int
    why: str


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything that one reading found.

    `twins` are near twins (earlier id, later id, share of common lines), both kept; `dropped` counts exact twins, which
    are not kept. `notes` are findings for the user, each with its remedy where there is one.
    """

    poems: tuple[Poem, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    twins: tuple[tuple[str, str, float], ...] = ()
    files: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """How one file would fall into poems. `rule` is a value for `corpus.separator`, `says` the same in words.

    `poems` is how many there would be, `openings` the first titles or first lines.
    """

    file: str
    rule: str
    says: str
    poems: int
    openings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One file, with its bytes; `given` if the user named it rather than a folder that holds it."""

    name: str
    data: bytes
    given: bool = False

    @property
    def suffix(self) -> str:
        """The end of the name in lower case, with its dot, or ""."""
        base = self.name.rpartition("/")[2]
        return "." + base.rpartition(".")[2].lower() if "." in base else ""

    @property
    def stem(self) -> str:
        """The file's own name without folders and ending."""
        base = self.name.rpartition("/")[2]
        return base.rpartition(".")[0] or base


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file, columns as they were found there."""

    file: str
    number: int
    values: Mapping[str, object]


@dataclass(slots=True)
class Findings:
    """What the parts of one reading add to as they go."""

    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def skip(self, file: str, row: int, why: str) -> None:
        """Count and name a row; 0 is the whole file."""
        self.skipped.append(Skipped(file, row, why))
