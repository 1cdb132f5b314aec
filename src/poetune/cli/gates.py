"""What the gates held back, as text."""

from collections.abc import Sequence

from poetune.cli.tables import table
from poetune.generate.tally import Tally, sentence, summed


def gates_text(rows: Sequence[Tally]) -> str:
    """A sentence, and below it a table of checkpoints and templates by gates where any was shut."""
    written, held = sum(row.written for row in rows), summed(rows)
    head = f"Gates: of the round's {written} poems {sentence(held)}."
    if not held:
        return head
    columns = ["model", "template", "poems", "passed", *held]
    lines = [
        [row.model, row.template, str(row.written), f"{row.passed / row.written:.0%}"]
        + [str(row.gates.get(gate, 0)) for gate in held]
        for row in rows
    ]
    return f"{head}\n{table(columns, lines, left=2)}"
