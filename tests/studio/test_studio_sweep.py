"""Sweeps on the echo engine: one run a setting, measured once, apart from what writes and ships."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from poetune.errors import EngineError, RecipeError
from poetune.ports import TrainEvent, TrainJob
from poetune.store.queries import best_model, models_of
from poetune.studio import Studio

SMALL = [
    "finetune.steps=4",
    "finetune.validate_every=2",
    "finetune.checkpoint_every=2",
    "dataset.shares=[50, 25, 25]",
    "finetune.sweep={steps: [2, 4], batch: [1, 2]}",
    "generate.themes=[rain]",
    "generate.templates=[plain.v1]",
    "generate.max_tokens=20",
]


def test_a_sweep_is_a_table_and_a_second_one_trains_nothing(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        done = studio.sweep()
        assert [t.setting for t in done.trials] == [
            "steps=2 batch=1", "steps=2 batch=2", "steps=4 batch=1", "steps=4 batch=2",
        ]  # fmt: skip
        assert len({t.run for t in done.trials}) == 4
        for trial in done.trials:
            assert trial.test_loss is not None
            assert trial.validation_loss is not None
            assert trial.peak_memory > 2**20
            weights = studio.weights(next(m for m in studio.store.all(type(studio.base_model())) if m.run == trial.run))
            assert weights.adapter
        rows = list(csv.DictReader(Path(done.csv).read_text(encoding="utf-8").splitlines()))
        assert [float(row["test_loss"]) for row in rows] == [t.test_loss for t in done.trials]
        studio.engine().train = studio.engine().score = None
        again = studio.sweep()
        assert all(t.already for t in again.trials)
        assert [t.test_loss for t in again.trials] == [t.test_loss for t in done.trials]


def test_a_swept_model_neither_writes_nor_wins_until_it_is_chosen(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        done = studio.sweep()
        assert models_of(studio.store, 1) == []
        assert best_model(studio.store, "echo") is None
        with pytest.raises(EngineError, match="poetune finetune"):
            studio.generate()
        assert {each.role for each in studio.status().trained} == {"sweep"}
        chosen = next(t for t in done.trials if t.setting == done.best)
    assert done.go_on.startswith("poetune finetune --set 'finetune.steps=")
    words = done.go_on.replace("'", "").split(" --set ")[1:]
    with Studio(project, [*SMALL, *words]) as studio:
        tuned = studio.finetune()
        assert (tuned.already, tuned.run) == (True, chosen.run)
        assert {m.run for m in models_of(studio.store, 1)} == {chosen.run}
        studio.sweep()
        assert {m.run for m in models_of(studio.store, 1)} == {chosen.run}


def test_the_settings_share_what_comes_before_the_last_stage(project: Path) -> None:
    stages = "finetune.stages=[{name: verse, kind: dapt}, {name: asked}]"
    with Studio(project, [*SMALL, stages]) as studio:
        done = studio.sweep()
        trained = studio.status().trained
        assert [each.role for each in trained] == ["earlier"] + ["sweep"] * 4
        assert {each.stage for each in trained if each.role == "sweep"} == {"asked"}
        assert "into the stage asked" in done.go_on
        first = next(t for t in done.trials if t.setting == "steps=4 batch=1")
    with Studio(project, [*SMALL, "finetune.stages=[{name: verse, kind: dapt}, {name: asked, batch: 1}]"]) as studio:
        assert studio.finetune().run == first.run


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the peak of a process never falls")
def test_each_setting_has_a_peak_of_its_own(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        plain = studio.engine().train

        def first_is_large(job: TrainJob) -> Iterator[TrainEvent]:
            some = bytearray(b"x" * (256 << 20)) if job.settings.steps == 2 else b""
            yield from plain(job)
            del some

        studio.engine().train = first_is_large
        peaks = {trial.setting: trial.peak_memory for trial in studio.sweep().trials}
    assert peaks["steps=2 batch=2"] - peaks["steps=4 batch=1"] > 200 << 20
    assert abs(peaks["steps=4 batch=1"] - peaks["steps=4 batch=2"]) < 100 << 20


def test_what_cannot_be_swept_is_refused_before_anything_trains(project: Path) -> None:
    for setting, said in (("{}", "holds no settings"), ("{method: [lora, full]}", "echo has no method=full")):
        with Studio(project, [*SMALL, f"finetune.sweep={setting}"]) as studio:
            with pytest.raises(RecipeError, match=said):
                studio.sweep()
            assert studio.status().trained == []
