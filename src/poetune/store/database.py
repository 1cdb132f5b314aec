"""The store: opens poet.db, brings it up to date, and moves records in and out, each call one transaction."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from poetune.errors import StoreError
from poetune.records import (
    Bundle,
    Call,
    Candidate,
    Dataset,
    Example,
    Model,
    Poem,
    Prompt,
    Review,
    Round,
    Run,
    Verdict,
    Vote,
)
from poetune.store.connection import connect
from poetune.store.filesystem import distant
from poetune.store.mapping import from_row, to_row
from poetune.store.migrations import MIGRATIONS

R = TypeVar("R")
TABLES: dict[type, str] = {
    Poem: "poems",
    Prompt: "prompts",
    Example: "examples",
    Dataset: "datasets",
    Run: "runs",
    Model: "models",
    Candidate: "candidates",
    Verdict: "verdicts",
    Call: "calls",
    Review: "reviews",
    Vote: "votes",
    Round: "rounds",
    Bundle: "bundles",
}


class Store:
    """One poet.db. Safe to open from several processes and threads: each thread opens its own."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open, check after an unclean end, and migrate. Raises StoreError where that cannot be done."""
        if not create and not path.exists():
            raise StoreError(f"{path} does not exist; run `poetune init` in the project folder first.")
        self.path = path
        unclean = path.with_name(path.name + "-wal").exists() or path.with_name(path.name + "-journal").exists()
        try:
            self._db = connect(path)
            self._db.execute(f"PRAGMA journal_mode={'DELETE' if distant(path.parent) else 'WAL'}")
            self._db.execute("PRAGMA synchronous=FULL")
            if unclean:
                self._check()
            self._migrate()
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{path} cannot be opened as a database ({error}); restore it from a copy, or move it away."
            ) from None

    def _check(self) -> None:
        found = self._db.execute("PRAGMA quick_check(3)").fetchall()
        if [tuple(row) for row in found] != [("ok",)]:
            raise StoreError(f"{self.path} is damaged ({found[0][0]}); restore it from a copy, or move it away.")

    def _migrate(self) -> None:
        at = self._db.execute("PRAGMA user_version").fetchone()[0]
        if at > len(MIGRATIONS):
            raise StoreError(
                f"{self.path} was written by a newer poetune (format {at}, known {len(MIGRATIONS)}); update poetune."
            )
        for number, step in enumerate(MIGRATIONS[at:], start=at + 1):
            with self.transaction():
                if self._db.execute("PRAGMA user_version").fetchone()[0] < number:
                    step(_NoCommit(self._db))  # type: ignore[arg-type]
                    self._db.execute(f"PRAGMA user_version={number}")

    def close(self) -> None:
        """Close the database; the journal is folded in."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another is part of it."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has rolled it back already
                self._db.execute("ROLLBACK")
            raise

    def add(self, records: Iterable[Any]) -> int:
        """Add records that are not there yet; returns how many were new. One transaction, durable on return."""
        added = 0
        rows = [(TABLES[type(record)], to_row(record)) for record in records]
        if not rows:
            return 0
        with self.transaction():
            for table, row in rows:
                if table == "rounds":
                    row.pop("id", None)
                columns = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                cursor = self._db.execute(
                    f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - names are ours
                    list(row.values()),
                )
                added += cursor.rowcount
        return added

    def all(self, kind: type[R], where: str = "", values: Sequence[Any] = ()) -> list[R]:
        """Records in the order they came; `where` is SQL with ? for `values`, written by this package only."""
        clause = f" WHERE {where}" if where else ""
        found = self._db.execute(
            f"SELECT * FROM {TABLES[kind]}{clause} ORDER BY seq",  # noqa: S608 - never from a user
            list(values),
        )
        return [from_row(kind, dict(row)) for row in found]

    def one(self, kind: type[R], identifier: str) -> R | None:
        """The record with this id, or None."""
        key = {"reviews": "token", "votes": "token", "rounds": "number"}.get(TABLES[kind], "id")
        found = self.all(kind, f"{key} = ?", [identifier])
        return found[0] if found else None

    def ids(self, kind: type, where: str = "", values: Sequence[Any] = ()) -> set[str]:
        """The ids of a kind of record."""
        clause = f" WHERE {where}" if where else ""
        found = self._db.execute(f"SELECT id FROM {TABLES[kind]}{clause}", list(values))  # noqa: S608
        return {row[0] for row in found}

    def count(self, kind: type) -> int:
        """How many records of a kind there are."""
        return int(self._db.execute(f"SELECT count(*) FROM {TABLES[kind]}").fetchone()[0])  # noqa: S608

    def settle(self, call: Call) -> None:
        """Write what became of a call over what was reserved for it."""
        with self.transaction():
            self._db.execute(
                "UPDATE calls SET state = ?, prompt_tokens = ?, completion_tokens = ?, money = ? WHERE id = ?",
                [call.state, call.prompt_tokens, call.completion_tokens, call.money, call.id],
            )

    def replace_round(self, record: Round) -> None:
        """Write a round over its earlier state: rounds grow while they are open."""
        row = to_row(record)
        with self.transaction():
            self._db.execute("DELETE FROM rounds WHERE number = ?", [record.number])
            self._db.execute(
                f"INSERT INTO rounds ({', '.join(row)}) VALUES ({', '.join('?' for _ in row)})",  # noqa: S608
                list(row.values()),
            )

    def adopt(self, candidates: Iterable[str], round_number: int) -> None:
        """Take poems that were written outside any round (round 0) into one."""
        with self.transaction():
            self._db.executemany(
                "UPDATE candidates SET round = ? WHERE id = ? AND round = 0", [(round_number, c) for c in candidates]
            )

    def gate(self, candidates: Iterable[Candidate]) -> None:
        """Write gate and reason of candidates that were looked at again."""
        with self.transaction():
            self._db.executemany(
                "UPDATE candidates SET gate = ?, reason = ? WHERE id = ?",
                [(c.gate, c.reason, c.id) for c in candidates],
            )

    def drop_models(self, models: Iterable[str]) -> None:
        """Forget checkpoints whose folder went over the keep limit."""
        with self.transaction():
            self._db.executemany("DELETE FROM models WHERE id = ?", [(m,) for m in models])

    def add_losses(self, run: str, rows: Iterable[tuple[int, str, float, float]], gradient_norm: float = 0.0) -> None:
        """Rows (step, kind, loss, rate) of a run's curve; a row resumed over replaces the earlier one."""
        with self.transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO losses (run, step, kind, loss, rate, gradient_norm) VALUES (?, ?, ?, ?, ?, ?)",
                [(run, *row, gradient_norm) for row in rows],
            )

    def losses(self, run: str) -> list[tuple[int, str, float, float]]:
        """The curve of a run: (step, kind, loss, rate) by step."""
        found = self._db.execute("SELECT step, kind, loss, rate FROM losses WHERE run = ? ORDER BY step, kind", [run])
        return [(row[0], row[1], row[2], row[3]) for row in found]

    def gradient_norms(self, run: str) -> list[tuple[int, float]]:
        """The largest gradient norms that a run reported, by step."""
        found = self._db.execute(
            "SELECT step, gradient_norm FROM losses WHERE run = ? AND kind = 'train' ORDER BY step", [run]
        )
        return [(row[0], row[1]) for row in found]

    def fact(self, key: str) -> str:
        """A remembered text, or ""."""
        found = self._db.execute("SELECT value FROM facts WHERE key = ?", [key]).fetchone()
        return found[0] if found else ""

    def remember(self, key: str, value: str) -> None:
        """Keep a text under a key; writes nothing where it is already so."""
        if self.fact(key) != value:
            with self.transaction():
                self._db.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", [key, value])


class _NoCommit:
    """`executescript` would commit the migration's transaction before it runs; this runs statement by statement."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def executescript(self, script: str) -> None:
        statement = ""
        for piece in script.split(";"):
            statement += piece + ";"
            if sqlite3.complete_statement(statement):
                if statement.strip("; \n"):
                    self._db.execute(statement)
                statement = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)
