"""The loop over rounds: it stops for its reader, ends where it was told to, and a kill -9 anywhere changes nothing."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from poetune.errors import ReviewError
from poetune.records import Review
from poetune.rounds.guards import GUARDS
from poetune.store.queries import candidates
from poetune.studio import Studio
from poetune.studio.rounds.looping import ENDED

SMALL = [
    "finetune.steps=4",
    "finetune.report_every=2",
    "finetune.validate_every=2",
    "finetune.checkpoint_every=2",
    "finetune.batch=2",
    "generate.themes=[rain, salt]",
    "generate.templates=[plain.v1]",
    "generate.max_tokens=30",
    "judge.batch=4",
]


def accept(folder: Path, count: int = 2) -> None:
    with Studio(folder, SMALL) as studio:
        number = studio.round.number
        written = sorted(candidates(studio.store, number), key=lambda each: each.id)
        studio.store.add(
            [
                Review(f"t{number}-{i}", each.id, "accept", body=f"{each.text}\nnumber {number} {i}")
                for i, each in enumerate(written[:count])
            ]
        )


def test_the_loop_stops_for_its_reader_and_ends_after_its_rounds(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        first = studio.run_rounds(2)
        assert (first.round, first.until, first.waits, first.closed) == (1, 2, True, [])
        assert studio.run_rounds().waits  # nothing accepted yet
    accept(project)
    with Studio(project, SMALL) as studio:
        with pytest.raises(ReviewError, match="--accept-guard copying"):
            studio.run_rounds(2)
        second = studio.run_rounds(2, GUARDS)
        assert (second.round, second.until, second.waits, len(second.closed)) == (2, 2, True, 1)
    accept(project)
    with Studio(project, SMALL) as studio:
        done = studio.run_rounds(accept_guards=GUARDS)
        assert (done.round, done.waits) == (3, False)
        assert studio.run_rounds(3).until == 5  # a new loop


def test_a_loop_under_way_keeps_its_end_and_poems_that_nobody_saw_are_waited_for(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        studio.run_rounds(3)
        assert studio.run_rounds().until == 3
        assert studio.run_rounds(2).until == 2
    accept(project)
    with Studio(project, [*SMALL, "generate.themes=[rain, salt, tin]"]) as studio:
        assert studio.run_rounds(accept_guards=GUARDS).waits  # the third theme was not read
        assert not studio.run_rounds(1, GUARDS).waits
        studio.run_rounds(2)
        with pytest.raises(ReviewError, match="--count 0"):
            studio.run_rounds(0)


def loop(folder: Path) -> list[str]:
    given = [part for setting in SMALL for part in ("--set", setting)]
    guards = [part for name in GUARDS for part in ("--accept-guard", name)]
    return [sys.executable, "-m", "poetune", "rounds", "run", "--count", "2", *guards, "--project", str(folder), *given]


def killed_after(lines: int, folder: Path) -> bool:
    """Run the loop in a process of its own, kill -9 it after so many lines; whether it was done."""
    process = subprocess.Popen(loop(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if len(said) == lines:
            process.send_signal(signal.SIGKILL)
            break
    process.stderr.read()
    process.stderr.close()
    code = process.wait()
    assert code in (0, -signal.SIGKILL), "".join(said)
    with Studio(folder, SMALL) as studio:
        return code == 0 or bool(studio.store.fact(ENDED))


def state(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """What must be the same, whatever was killed: everything but times and how long things took."""
    asked = {
        "poems": "id, text, origin, parent",
        "datasets": "id, examples, settings",
        "runs": "id, dataset, parent",
        "models": "id, step, train_loss, validation_loss",
        "losses": "run, step, kind, loss, rate",
        "candidates": "id, text, seed, round",
        "verdicts": "id, shown, ranking",
        "rounds": "number, poems, accepted, guards, weights, overruled",
    }
    db = sqlite3.connect(folder / "poet.db")
    found = {name: sorted(db.execute(f"SELECT {columns} FROM {name}").fetchall()) for name, columns in asked.items()}
    db.close()
    return found


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_loop_killed_again_and_again_ends_as_an_unbroken_one(project: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(project, whole)
    for _ in range(3):
        assert killed_after(10_000, whole)
        accept(whole)
    kills = 0
    for _ in range(3):
        lines = 2
        while not killed_after(lines, project):
            kills += 1
            lines += 5
        accept(project)
    assert kills >= 5
    assert state(project) == state(whole)
    with Studio(project, SMALL) as studio:
        assert [each.number for each in studio.rounds()] == [1, 2, 3]
