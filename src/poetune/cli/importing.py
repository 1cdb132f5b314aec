"""What a foreign recipe maps to, as two tables and as lines of poet.yaml."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from poetune.cli.session import Session
from poetune.cli.tables import table

if TYPE_CHECKING:
    from poetune.studio.importing import Brought

_LONGEST = 44  # characters of a value in a table


def show_import(session: Session, path: Path, write: bool) -> None:
    """Read a foreign recipe and say what it maps to and what it cannot; with `write`, put it into poet.yaml."""
    from poetune.studio.importing import bring

    brought = bring(path, session.project, write)
    found = brought.found
    data = {
        "tool": found.tool,
        "mapped": [
            {"key": m.key, "value": m.given, "becomes": dict(m.values), "note": m.note, "left_out": m.left_out}
            for m in found.mapped
        ],
        "not_mapped": [{"key": n.key, "value": n.given, "why": n.why, "left_out": n.left_out} for n in found.left],
        "recipe": brought.text,
        "written": brought.written,
    }
    session.show(data, _prose(brought))


def _prose(brought: "Brought") -> str:
    found = brought.found
    rows = [
        (_key(m.key, m.left_out), _short(m.given), "  ".join(f"{k}: {_short(v)}" for k, v in m.values.items()), m.note)
        for m in found.mapped
    ]
    parts = [f"Mapped from {found.tool}:", table(("key", "value", "becomes", ""), rows, left=4)]
    if found.left:
        missed = [(_key(n.key, n.left_out), _short(n.given), n.why) for n in found.left]
        parts += ["", "Not mapped:", table(("key", "value", "why"), missed, left=3)]
    if any(m.left_out for m in found.mapped) or any(n.left_out for n in found.left):
        parts.append(f"* not in the file: what {found.tool} does then")
    where = f"Written into {brought.written}:" if brought.written else "In poet.yaml (--write puts it there):"
    return "\n".join([*parts, "", where, "", brought.text.strip("\n")])


def _key(name: str, left_out: bool) -> str:
    return f"{name} *" if left_out else name


def _short(value: Any) -> str:
    from poetune.recipe.yamltext import dump

    text = dump(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
