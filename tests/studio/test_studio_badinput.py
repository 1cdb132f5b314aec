"""Bad input to generate: one sentence each, before any model where possible, and what was written stays."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from poetune.errors import EngineError, RecipeError, StoreError
from poetune.records import Candidate, Prompt
from poetune.store.queries import candidates
from poetune.studio import Quiet, Studio

SMALL = [
    "finetune.steps=4",
    "finetune.checkpoint_every=2",
    "generate.templates=[plain.v1]",
    "generate.max_tokens=30",
]


def test_a_theme_that_cannot_be_asked_is_said_before_a_model_is_opened(project: Path) -> None:
    for themes in ("['']", '["rain\\x07"]', "['{theme}']", "['<|im_start|>']"):
        with Studio(project, [*SMALL, f"generate.themes={themes}", "base=nowhere/at-all", "engine=torch"]) as studio:
            with pytest.raises(RecipeError, match=r"generate\.themes"):
                studio.generate()
            assert studio.store.count(Candidate) == 0


def test_themes_given_twice_are_asked_once_and_named(project: Path, listener: Quiet) -> None:
    with Studio(project, [*SMALL, "generate.themes=[rain, salt, rain]"], listener) as studio:
        studio.finetune()
        assert studio.generate().themes == 2
    assert any("asked once: rain" in said for said in listener.said)


def test_a_checkpoint_deleted_half_way_leaves_what_was_written(project: Path) -> None:
    with Studio(project, [*SMALL, "generate.themes=[rain, salt]"]) as studio:
        run = studio.finetune().run
        second = project / "runs" / run / "checkpoint-000004"

        class Deletes(Quiet):
            def advance(self, amount: int = 1, note: str = "") -> None:
                shutil.rmtree(second, ignore_errors=True)

        studio.listener = Deletes()
        with pytest.raises(EngineError, match=str(second)) as told:
            studio.generate()
        assert "\n" not in str(told.value)
        assert len(candidates(studio.store, 1)) == 2


def test_a_full_disk_leaves_what_was_written_and_with_room_the_same_goes_on(project: Path) -> None:
    themes = ", ".join(f"rain{i}" for i in range(80))
    with Studio(project, [*SMALL, f"generate.themes=[{themes}]"]) as studio:
        studio.finetune()

        class Fills(Quiet):
            def advance(self, amount: int = 1, note: str = "") -> None:
                pages = studio.store._db.execute("PRAGMA page_count").fetchone()[0]
                studio.store._db.execute(f"PRAGMA max_page_count={pages}")

        studio.listener = Fills()
        with pytest.raises(StoreError, match=r"poet\.db has no room left on its disk.*nothing that was stored is lost"):
            studio.generate()
        there = studio.store.count(Candidate)
        assert 0 < there < 160
        studio.listener = Quiet()
        studio.store._db.execute("PRAGMA max_page_count=1000000")
        assert studio.generate().written == 160 - there


@pytest.mark.torch
def test_a_prompt_that_fills_the_context_is_said_before_weights_are_loaded(project: Path) -> None:
    theme = "rain " * 1200
    with Studio(project, [*SMALL, f"generate.themes=['{theme}']", "engine=torch"]) as studio:
        with pytest.raises(RecipeError, match="fills the whole context of starter"):
            studio.generate(stages=["base"])
        assert studio.generator()._base is None  # type: ignore[attr-defined]


def test_ten_thousand_themes_are_a_grid_like_any_other(project: Path) -> None:
    listed = project / "many.txt"
    listed.write_text("\n".join(f"rain on roof number {i}" for i in range(10_000)), encoding="utf-8")
    with Studio(project, [*SMALL, "generate.themes=[many.txt]", "generate.max_tokens=1"]) as studio:
        studio.finetune()

        class Stops(Quiet):
            def advance(self, amount: int = 1, note: str = "") -> None:
                raise KeyboardInterrupt

        studio.listener = Stops()
        with pytest.raises(KeyboardInterrupt):
            studio.generate()
        assert (len(candidates(studio.store, 1)), studio.store.count(Prompt)) == (1, 10_008)  # 8 are the corpus's


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_process_keeps_what_it_wrote_and_the_next_goes_on(project: Path, how: signal.Signals) -> None:
    with Studio(project, SMALL) as studio:
        studio.finetune()
    themes = [part for i in range(150) for part in ("--themes", f"rain {i}")]
    words = ["generate", "--project", str(project), "--templates", "plain.v1", "--checkpoints", "1", *themes]
    command = [sys.executable, "-m", "poetune", *words, "--set", "generate.max_tokens=400"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while written(project) < 3:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(how)
    _, said = process.communicate()
    there = written(project)
    assert 3 <= there < 150
    if how == signal.SIGINT:
        assert process.returncode == 1
        assert said.splitlines()[-1] == "poetune: stopped; the same command goes on from here."
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{150 - there} poems written, {there} were there already" in done.stdout


def written(project: Path) -> int:
    db = sqlite3.connect(project / "poet.db", timeout=10)
    try:
        return int(db.execute("SELECT count(*) FROM candidates").fetchone()[0])
    finally:
        db.close()
