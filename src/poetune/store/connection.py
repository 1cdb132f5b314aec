"""A connection that says in a sentence why SQLite cannot go on: locked, read-only, no room, a disk that fails."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from poetune.errors import StoreError

PATIENCE = 30.0  # seconds that a write waits for another program's
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "is in use by another program, which did not let go for {patience:.0f} s; "
    "end that, and try again",
    sqlite3.SQLITE_LOCKED: "is locked by another part of this program; try again",
    sqlite3.SQLITE_READONLY: "cannot be written to; give yourself the right to write to it and to its folder, or work "
    "on a copy",
    sqlite3.SQLITE_FULL: "has no room left on its disk; make some, and try again",
    sqlite3.SQLITE_IOERR: "lies on a disk that fails to read or write; copy the project to another one",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; see that its folder is there and that you may write to it",
}


class Connection(sqlite3.Connection):
    """sqlite3's, which raises StoreError where a remedy is known; what was committed before stays."""

    path = Path()

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As sqlite3's."""
        try:
            return super().execute(sql, parameters)
        except sqlite3.OperationalError as error:
            raise self._named(error) from None

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As sqlite3's."""
        try:
            return super().executemany(sql, parameters)
        except sqlite3.OperationalError as error:
            raise self._named(error) from None

    def _named(self, error: sqlite3.OperationalError) -> Exception:
        remedy = _REMEDIES.get(getattr(error, "sqlite_errorcode", -1) & 0xFF)
        if remedy is None:
            return error
        return StoreError(f"{self.path} {remedy.format(patience=PATIENCE)}; nothing that was stored is lost.")


def connect(path: Path) -> Connection:
    """Open `path`, for use by several threads in turn; transactions are the caller's."""
    try:
        made = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, factory=Connection
        )
    except sqlite3.OperationalError:
        remedy = _REMEDIES[sqlite3.SQLITE_CANTOPEN]
        raise StoreError(f"{path} {remedy}.") from None
    made.path = path
    made.row_factory = sqlite3.Row
    return made
