"""What a blend is asked to be: adapters by name, the share of each, and the way they are put together."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from poetune.errors import RecipeError
from poetune.ports import BLENDS

_STEP = re.compile(r"(?P<name>.+)@(?P<step>\d+)")


@dataclass(frozen=True, slots=True)
class Way:
    """How adapters are put together; see `ports.Mix`."""

    method: str = "cat"
    rank: int = 0
    density: float = 0.5

    def __post_init__(self) -> None:
        if self.method not in BLENDS:
            raise RecipeError(f"--method: `{self.method}` is no way of blending; there are {', '.join(BLENDS)}.")
        if not 0 < self.density <= 1:
            raise RecipeError(f"--density: {self.density:g} is no share of values to keep; give one in (0, 1].")


@dataclass(frozen=True, slots=True)
class Part:
    """One adapter of a mix: its name as given, the step asked for (0 = the best), and its share (None = not said)."""

    name: str
    step: int
    share: float | None

    @property
    def label(self) -> str:
        """The name with its step."""
        return f"{self.name}@{self.step}" if self.step else self.name


def parsed(text: str) -> list[Part]:
    """The parts of `dickinson=0.6,whitman@100=0.4`, shares left out or not.

    Raises RecipeError for a part that cannot be read, is there twice, or where only some have a share.
    """
    parts = [_part(piece.strip()) for piece in text.split(",") if piece.strip()]
    if not parts:
        raise RecipeError("--mix names no adapter; write for example --mix dickinson=0.6,whitman=0.4.")
    labels = [part.label for part in parts]
    for label in labels:
        if labels.count(label) > 1:
            raise RecipeError(f"--mix names {label} twice; add its shares up.")
    if len({part.share is None for part in parts}) > 1:
        raise RecipeError("--mix gives a share to some adapters only; give one to each, as in dickinson=0.6.")
    return parts


def _part(text: str) -> Part:
    name, sign, share = text.rpartition("=")
    if not sign:
        name, share = text, ""
    found = _STEP.fullmatch(name.strip())
    word, step = (found["name"], int(found["step"])) if found else (name.strip(), 0)
    try:
        value = float(share) if sign else None
    except ValueError:
        value = math.nan
    if not word or (value is not None and not math.isfinite(value)):
        raise RecipeError(f"--mix: `{text}` is no adapter with its share; write for example dickinson=0.6.")
    return Part(word, step, value)


def matching(wanted: str, stages: Mapping[str, str]) -> str:
    """The key of the stage that a name means: its whole name, or one of the words in it (`dickinson`).

    `stages` are stages' names by key, later ones before earlier of the same name. Raises RecipeError where none or
    several match.
    """
    asked = slug(wanted)
    whole = [key for key, name in stages.items() if name == asked]
    found = whole[:1] or [key for key, name in stages.items() if asked in name.split("-")]
    names = list(dict.fromkeys(stages[key] for key in found))
    if not found:
        known = ", ".join(dict.fromkeys(stages.values())) or "none yet"
        raise RecipeError(
            f"--mix: no adapter is called `{wanted}`; there are {known}; `poetune finetune poets` trains one a poet."
        )
    if len(names) > 1:
        raise RecipeError(f"--mix: `{wanted}` may be {' or '.join(names)}; write the whole name.")
    return found[0]


def slug(author: str) -> str:
    """A stage's name for an author: `Emily Dickinson` becomes emily-dickinson, 李白 stays."""
    words: Sequence[str] = re.findall(r"[^\W_]+", author.lower())
    return "-".join(words)
