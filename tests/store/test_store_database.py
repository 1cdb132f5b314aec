"""The store: records survive the round trip, a kill, a newer version and damage."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import StoreError
from poetune.records import (
    Bundle,
    Call,
    Candidate,
    Conversation,
    Dataset,
    Example,
    Message,
    Model,
    Poem,
    Prompt,
    Review,
    Round,
    Run,
    Sampling,
    Verdict,
    Vote,
)
from poetune.store import Store
from poetune.store.database import TABLES
from poetune.store.filesystem import distant
from poetune.store.migrations import MIGRATIONS

EXAMPLES = [
    Poem("床前明月光，\n疑是地上霜。", "静夜思", tags={"dynasty": "唐"}),
    Prompt("rain", opening="It rained", held_out=True),
    Example(Conversation((Message("system", "s"), Message("user", "雨")), lead="\n", trim=True), "poem", "train", "p"),
    Dataset(("a", "b"), {"shares": [80, 10, 10]}, 2),
    Run("sft", "echo", 3, {"finetune": {"rate": 1e-5}}, "d", "m"),
    Model("checkpoint", "torch", "starter", "runs/x/checkpoint-5", run="r", step=5, validation_loss=1.5),
    Candidate("c", "m", "p", Sampling(top_k=40), 7, "text\n\ntext", "title", "eos", 12),
    Call("a:1", "c", "m", "reserved", 900, 400, 0.25),
    Verdict("v", "k", "offline", "r.v1", ("a", "b"), (), "invalid", raw="?"),
    Review("t", "c", "accept", body="mended", title=None, reasons=("form",), rubric="r.v1", scores={"tone": 4}),
    Vote("t", "a", "b", "left", "ann"),
    Round(1, 100, ("c",), {"share": 0.1}),
    Bundle("adapter", "out", "m", {"a": "b"}),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "poet.db", create=True)


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda r: type(r).__name__)
def test_every_record_comes_back_as_it_went_in_and_only_once(store: Store, record: object) -> None:
    assert store.add([record]) == 1
    assert store.add([record]) == 0
    assert store.all(type(record)) == [record]


def test_every_record_of_the_design_has_its_table() -> None:
    assert {type(r) for r in EXAMPLES} == set(TABLES)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, text: str, tags: dict[str, str]) -> None:
    store = Store(tmp_path_factory.mktemp("any") / "poet.db", create=True)
    try:
        poem = Poem(text.encode("utf-8", "ignore").decode(), tags=tags)
        store.add([poem])
        assert store.all(Poem) == [poem]
    finally:
        store.close()


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    def half() -> object:
        with store.transaction():
            store.add([Poem("one")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert store.all(Poem) == []


def test_reviews_can_only_be_added(store: Store) -> None:
    store.add([Review("t", "c", "accept")])
    for statement in ("UPDATE reviews SET action = 'reject'", "DELETE FROM reviews"):
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
            store._db.execute(statement)


def test_commits_are_flushed_to_the_disk(store: Store) -> None:
    assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store._db.execute("PRAGMA journal_mode").fetchone()[0] in ("wal", "delete")


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p", "drvfs", "ext4"])
def test_wal_is_not_used_on_mounted_drives(tmp_path: Path, kind: str) -> None:
    mounts = f"/dev/sda / ext4 rw 0 0\nx {tmp_path} {kind} rw 0 0\n"
    assert distant(tmp_path / "deep", mounts) is (kind != "ext4")


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "poet.db"
    Store(path, create=True).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StoreError, match="newer poetune"):
        Store(path)


def test_damage_is_found_after_an_unclean_end(tmp_path: Path) -> None:
    path = tmp_path / "poet.db"
    with Store(path, create=True) as store:
        store.add([Poem(f"poem {i} " * 50) for i in range(300)])
    data = bytearray(path.read_bytes())
    data[8192 : 8192 + 20000] = os.urandom(20000)
    path.write_bytes(data)
    path.with_name("poet.db-wal").touch()
    with pytest.raises(StoreError, match=r"damaged|cannot be opened"):
        Store(path)


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(db: sqlite3.Connection) -> None:
        db.executescript("CREATE TABLE extra (a TEXT); CREATE TABLE poems (a TEXT);")

    path = tmp_path / "poet.db"
    Store(path, create=True).close()
    monkeypatch.setattr("poetune.store.database.MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(StoreError):
        Store(path)
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchall()
    db.close()


WRITER = """
import sys
from pathlib import Path
from poetune.records import Poem
from poetune.store import Store
store = Store(Path(sys.argv[1]), create=True)
for i in range(100000):
    store.add([Poem(f"poem {i}")])
    print(i, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_what_was_said_to_be_stored_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "poet.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    said = writer.stdout.readline()
    time.sleep(0.3)
    writer.send_signal(signal.SIGKILL)
    rest = [line for line in writer.stdout.read().split("\n") if line]
    writer.stdout.close()
    writer.wait()
    last = int(rest[-1]) if rest else int(said)
    with Store(path) as store:
        texts = {poem.text for poem in store.all(Poem)}
    assert {f"poem {i}" for i in range(last + 1)} <= texts


def test_losses_of_the_first_format_are_kept_and_gain_a_gradient_norm(tmp_path: Path) -> None:
    path = tmp_path / "poet.db"
    db = sqlite3.connect(path)
    MIGRATIONS[0](db)
    db.execute("INSERT INTO losses (run, step, kind, loss, rate) VALUES ('r', 5, 'train', 2.5, 0.1)")
    db.execute("PRAGMA user_version=1")
    db.commit()
    db.close()
    with Store(path, create=True) as store:
        store.add_losses("r", [(10, "train", 2.0, 0.1)], gradient_norm=0.7)
        assert store.losses("r") == [(5, "train", 2.5, 0.1), (10, "train", 2.0, 0.1)]
        assert store.gradient_norms("r") == [(5, 0.0), (10, 0.7)]
