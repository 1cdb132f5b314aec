"""What scouting found, as text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from poetune.cli.gates import gates_text
from poetune.cli.tables import table

if TYPE_CHECKING:
    from poetune.generate.scout import Row
    from poetune.studio.scouting import Scouted


def scouted_text(found: "Scouted") -> str:
    """Two rankings, the table of templates and kinds of themes, and the proposal."""
    kept_models = [row.name for row in found.models if row.kept]
    kept_templates = [row.name for row in found.templates if row.kept]
    return "\n\n".join(
        [
            f"{found.written} poems written, {found.existing} were there already, on {', '.join(found.themes)}.",
            gates_text(found.gates),
            "Each poem is compared with the others on its theme, those that a gate holds back last; `beats` is the "
            f"mean share of them that it beats, with a 90 % interval. No judge was asked: {found.ranked_by}",
            _ranking("checkpoint", found.models),
            _ranking("template", found.templates),
            _kinds(found),
            f"Not clearly worse than the best: {', '.join(kept_models)}; in {', '.join(kept_templates)}.\n"
            f"Next: poetune generate --scouted   ({found.rest:,} poems to write; the whole grid has {found.whole:,})",
        ]
    )


def _ranking(what: str, rows: "Sequence[Row]") -> str:
    lines = [
        [
            f"{row.name}{'' if row.kept else ' (left behind)'}",
            str(row.poems),
            f"{row.passed:.0%}",
            f"{row.mean:.0%}",
            f"{row.low:.0%} to {row.high:.0%}",
        ]
        for row in rows
    ]
    return table([what, "poems", "passed", "beats", "90 %"], lines)


def _kinds(found: "Scouted") -> str:
    kinds = list(dict.fromkeys(kind for row in found.kinds.values() for kind in row))
    best = {kind: max(row[kind][0] for row in found.kinds.values() if kind in row) for kind in kinds}
    order = [row.name for row in found.templates]
    lines = []
    for template in order:
        row = found.kinds[template]
        shown = [
            f"{row[kind][0]:.0%}{'*' if row[kind][0] == best[kind] else ' '} ({row[kind][1]})" if kind in row else "-"
            for kind in kinds
        ]
        lines.append([template, *shown])
    head = "Templates by kinds of themes (poems in brackets, * = best; few poems, so a hint)"
    return f"{head}\n{table(['template', *kinds], lines)}"
