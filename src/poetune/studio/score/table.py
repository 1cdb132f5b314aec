"""What a command of figures gives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as plain data, and the same as text."""

    rows: list[dict[str, object]]
    text: str
