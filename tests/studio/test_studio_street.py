"""The whole street: two rounds from poems to a report, on both engines; a second walk writes nothing."""

import sqlite3
from pathlib import Path

import pytest

from poetune.errors import PoetuneError
from poetune.records import Candidate, Poem, Round
from poetune.rounds.guards import GUARDS
from poetune.store.queries import best_model, candidates
from poetune.studio import Studio

SMALL = [
    "finetune.steps=6",
    "finetune.batch=4",
    "finetune.warmup=1",
    "finetune.report_every=2",
    "finetune.validate_every=3",
    "finetune.checkpoint_every=3",
    "dataset.shares=[60, 20, 20]",
    "generate.themes=[rain, salt, a lamp]",
    "generate.max_tokens=40",
    "generate.templates=[plain.v1, pause.v1]",
    "judge.batch=4",
    "judge.finals=3",
    "score.prompts=2",
]


def walk(folder: Path, settings: list[str]) -> None:
    with Studio(folder, settings) as studio:
        studio.dataset()
        studio.finetune()
        studio.generate()
        studio.judge()
        studio.report()


def state(folder: Path) -> dict[str, object]:
    """Rows of every table and the bytes of every file that is not the database's."""
    db = sqlite3.connect(folder / "poet.db")
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows: dict[str, object] = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    changes = db.execute("PRAGMA data_version").fetchone()
    db.close()
    files = {
        str(p.relative_to(folder)): p.stat().st_mtime_ns
        for p in folder.rglob("*")
        if p.is_file() and not p.name.startswith("poet.db")
    }
    return {"rows": rows, "files": files, "changes": changes}


def accept(folder: Path, settings: list[str], count: int) -> list[str]:
    """Accept poems at the desk as a reader would, the first with an edited text."""
    with Studio(folder, settings) as studio:
        desk = studio.desk()
        accepted = []
        for number in range(count):
            sheet = desk.current().poem
            assert sheet is not None
            body = "A line of mine.\nAnother line of mine." if number == 0 else None
            desk.decide(f"token-{studio.round.number}-{number}", sheet.item, "accept", body=body)
            accepted.append(sheet.item)
        desk.close()
    return accepted


def two_rounds(folder: Path, settings: list[str]) -> None:
    walk(folder, settings)
    before = state(folder)
    walk(folder, settings)
    assert state(folder) == before

    accepted = accept(folder, settings, 2)
    with Studio(folder, settings) as studio:
        opened = studio.close_round(GUARDS)  # six steps and two poems: what the guards say of them is not the matter
        assert (opened.number, opened.accepted, opened.poems) == (2, 2, 10)
        returned = [p for p in studio.store.all(Poem) if p.origin == "round:1"]
        assert {p.parent for p in returned} == set(accepted)
        assert "A line of mine.\nAnother line of mine." in {p.text for p in returned}
    walk(folder, settings)
    with Studio(folder, settings) as studio:
        assert len(candidates(studio.store, 2)) == 3 * 2 * 2
        best = best_model(studio.store, studio.engine().capabilities.name)
        assert best is not None
        assert best.round == 2
        assert [r.number for r in studio.store.all(Round)] == [1, 2]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_two_rounds_on_echo(project: Path) -> None:
    two_rounds(project, SMALL)


@pytest.mark.torch
def test_two_rounds_on_the_bundled_base(project: Path) -> None:
    settings = [*SMALL, "engine=torch", "finetune.rank=2"]
    two_rounds(project, settings)
    with Studio(project, settings) as studio:
        for kind, weights in (("adapter", "adapter_model.safetensors"), ("merged", "model.safetensors")):
            shipped = studio.ship(kind)
            assert {weights, "README.md", "manifest.json"} <= set(shipped.files)


def test_a_poem_written_at_once_begins_as_asked_and_is_the_same_twice(project: Path, tmp_path: Path) -> None:
    walk(project, SMALL)
    samples = tmp_path / "samples.txt"
    with Studio(project, SMALL) as studio:
        first = studio.write("", first_line="The plate is wet.", append=samples)
        again = studio.write("", first_line="The plate is wet.", append=samples)
        before = len(candidates(studio.store, 1))
    assert first == again
    assert first.texts[0].startswith("The plate is wet.")
    assert samples.read_text(encoding="utf-8").count("The plate is wet.") >= 2
    with Studio(project, SMALL) as studio:
        assert len(candidates(studio.store, 1)) == before


def test_what_is_not_ready_says_what_comes_first(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        for call, remedy in (
            (studio.generate, "poetune finetune"),
            (studio.judge, "poetune generate"),
            (studio.desk, "poetune generate"),
            (studio.close_round, "poetune review"),
            (studio.report, "poetune finetune"),
        ):
            with pytest.raises(PoetuneError, match=remedy):
                call()
        assert studio.status().next == "poetune finetune"


def test_an_interrupted_grid_is_filled_and_nothing_is_written_twice(project: Path) -> None:
    class Stops(BaseException):
        pass

    with Studio(project, SMALL) as studio:
        studio.finetune()
        plain = studio.generator().generate

        def breaks(requests: object) -> object:
            for number, written in enumerate(plain(requests)):  # type: ignore[arg-type]
                if number == 5:
                    raise Stops
                yield written

        studio.engine().generate = breaks
        with pytest.raises(Stops):
            studio.generate()
        assert studio.store.count(Candidate) == 5
    with Studio(project, SMALL) as studio:
        done = studio.generate()
        assert (done.existing, done.written) == (5, 7)
