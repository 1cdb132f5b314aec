"""Lists of themes: text files with groups, bundled or the user's own."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from poetune.errors import RecipeError
from poetune.generate.asked import check_asked
from poetune.verse.lines import language

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Theme:
    """What a poem is asked about, and the group it stands in: `concrete`, `abstract`, `compound`, `unusual` or any."""

    text: str
    group: str = ""


def parse(text: str) -> list[Theme]:
    """Themes in order, each once. `# name` opens a group; a line is one theme, a Chinese line one for each word.

    A `#` line of more than three words is a remark.
    """
    group = ""
    found: dict[str, Theme] = {}
    for line in text.removeprefix("\ufeff").splitlines():
        line = line.strip()
        if line.startswith("#"):
            name = line.lstrip("#").strip().lower()
            group = name if len(name.split()) <= 3 else group
            continue
        for word in line.split() if language(line) == "zh" else [" ".join(line.split())]:
            if word:
                found.setdefault(word, Theme(word, group))
    return list(found.values())


def bundled(name: str) -> list[Theme]:
    """The list that comes with poetune: `en`, `zh`, or both one after the other for anything else."""
    package = files("poetune.starter")
    wanted = [name] if name in LANGUAGES else LANGUAGES
    return _once(theme for lang in wanted for theme in parse((package / f"themes_{lang}.txt").read_text("utf-8")))


def collect(values: Sequence[str], folder: Path, name: str = "auto") -> list[Theme]:
    """Themes as a recipe gives them: each value a theme, or a file of themes in `folder`; none = the bundled list.

    Raises RecipeError for a file that is missing, isn't UTF-8 or holds no theme, and for a theme that can't be asked.
    """
    return _once(gathered(values, folder, name))


def gathered(values: Sequence[str], folder: Path, name: str = "auto") -> list[Theme]:
    """As `collect`, with what stands there more than once."""
    if not values:
        return bundled(name)
    found = [theme for value in values for theme in _value(value, folder)]
    check_asked(theme.text for theme in found)
    return found


def _value(value: str, folder: Path) -> list[Theme]:
    path = folder / value
    if not (value.lower().endswith(".txt") or ("/" in value and path.is_file())):
        return [Theme(" ".join(part for part in re.split(r"[^\S\x1c-\x1f\x85]+", value) if part))]
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecipeError(f"generate.themes: there is no file {path}; give its path from the project folder") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"generate.themes: {path} cannot be read as UTF-8 text; save it as such") from error
    if not found:
        raise RecipeError(f"generate.themes: {path} holds no theme; write one to a line")
    return found


def _once(themes: Iterable[Theme]) -> list[Theme]:
    found: dict[str, Theme] = {}
    for theme in themes:
        found.setdefault(theme.text, theme)
    return list(found.values())
