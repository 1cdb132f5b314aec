"""A database that is in use, read-only or out of reach: one sentence with a remedy, and nothing lost."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from poetune.errors import StoreError
from poetune.records import Poem
from poetune.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store(tmp_path / "poet.db", create=True) as store:
        store.add([Poem("kept")])
    return tmp_path / "poet.db"


def test_a_database_that_another_program_writes_to_is_said_and_can_be_used_afterwards(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poetune.store.connection.PATIENCE", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    with Store(path) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            StoreError, match=r"poet\.db is in use by another program.*end that.*nothing that was stored"
        ):
            store.add([Poem("new")])
        assert [poem.text for poem in store.all(Poem)] == ["kept"]
        other.execute("COMMIT")
        assert store.add([Poem("new")]) == 1
    other.close()


def test_a_database_that_cannot_be_written_to_says_so(path: Path) -> None:
    with Store(path) as store:
        store._db.execute("PRAGMA query_only=ON")  # SQLITE_READONLY, also for a root user whom no file mode stops
        with pytest.raises(StoreError, match=r"poet\.db cannot be written to; give yourself the right"):
            store.add([Poem("new")])
        assert store.count(Poem) == 1


def test_a_folder_in_its_place_says_so(tmp_path: Path) -> None:
    (tmp_path / "poet.db").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "poet.db")


HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_that_holds_it_is_said_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poetune.store.connection.PATIENCE", 0.1)
    with Store(path) as store:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(StoreError, match="in use by another program"):
                store.remember("a", "b")
        finally:
            holder.communicate()
        store.remember("a", "b")
        assert store.fact("a") == "b"
