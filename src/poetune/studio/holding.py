"""poet.db held open by a page: one thread at a time, and a sentence where it was moved or is busy."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from poetune.errors import StoreError
from poetune.store import Store


class Holding:
    """A store of its own over the database at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path)
        self._lock = Lock()
        self._identity = _identity(path)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self.store.close()

    @contextmanager
    def open(self) -> Iterator[Store]:
        """The store, for one thread. Raises StoreError where the file was moved or cannot be used just now."""
        with self._lock:
            if _identity(self.path) != self._identity:
                raise StoreError(
                    f"{self.path} was moved or replaced while the page was open; "
                    "put it back, or run `poetune review` in the project's new folder."
                )
            try:
                yield self.store
            except sqlite3.Error as error:
                raise StoreError(
                    f"{self.path} cannot be read or written just now ({error}); "
                    "end what else uses it, see that the disk has room, and try again."
                ) from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
