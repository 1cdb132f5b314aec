"""Trackers hear what is measured: TensorBoard is read back from its files, the others from fakes at the door."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from poetune.errors import RecipeError
from poetune.ports import TrainEvent
from poetune.records import Run
from poetune.studio import Studio
from poetune.studio.finetune import trackers
from poetune.studio.finetune.trackers import check_trackers, scalars_of

SMALL = ["finetune.steps=6", "finetune.report_every=2", "finetune.validate_every=3", "finetune.checkpoint_every=3"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # the package's own
def test_tensorboard_files_hold_the_losses(project: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    with Studio(project, [*SMALL, "finetune.track=[tensorboard]"]) as studio:
        run = studio.finetune().run
        kept = {(kind, step): loss for step, kind, loss, _ in studio.store.losses(run)}
        stage = studio.store.all(Run)[0].stage
    (file,) = (project / "tensorboard" / f"{stage}-{run}").iterdir()
    read = {
        (value.tag, event.step): value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value
        for event in EventFileLoader(str(file)).Load()
        for value in event.summary.value
    }
    for (kind, step), loss in kept.items():
        tag = {"train": "train/loss", "validation": "eval/loss"}[kind]
        assert read[tag, step] == pytest.approx(loss, rel=1e-6)
    assert ("train/learning_rate", 4) in read


class Fake(ModuleType):
    """Both packages' doors: `init` opens a run, and what is logged stays in `heard`."""

    def __init__(self, name: str, fails_at: int = 10**9) -> None:
        super().__init__(name)
        self.heard: list[tuple[dict[str, float], int]] = []
        self.given: dict[str, object] = {}
        self.finished, self.fails_at = 0, fails_at

    def init(self, **given: object) -> SimpleNamespace:
        self.given = given
        return SimpleNamespace(log=self.log, finish=self.finish)

    def log(self, scalars: dict[str, float], step: int) -> None:
        if len(self.heard) >= self.fails_at:
            raise OSError("the server went away")
        self.heard.append((scalars, step))

    def finish(self) -> None:
        self.finished += 1


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_run_is_opened_under_its_name_fed_and_closed(
    project: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Fake(name)
    monkeypatch.setitem(sys.modules, name, fake)
    monkeypatch.setattr(trackers, "find_spec", lambda _: object())
    with Studio(project, [*SMALL, f"finetune.track=[{name}]", "finetune.rank=3"]) as studio:
        run = studio.finetune().run
        studio.finetune()  # a finished run opens nothing
    assert (fake.given["name"], fake.given["config"]["rank"]) == (f"sft-{run}", 3)  # type: ignore[index]
    assert [step for scalars, step in fake.heard if "eval/loss" in scalars] == [0, 3, 6]
    assert [step for scalars, step in fake.heard if "train/loss" in scalars] == [2, 4, 6]
    assert fake.finished == 1


def test_a_tracker_that_fails_costs_no_training(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", Fake("wandb", fails_at=2))
    monkeypatch.setattr(trackers, "find_spec", lambda _: object())
    with Studio(project, [*SMALL, "finetune.track=[wandb]"]) as studio:
        assert studio.finetune().steps == 6
        said = [text for text in studio.listener.said if "hears nothing more" in text]  # type: ignore[attr-defined]
        assert said == ["wandb hears nothing more (the server went away)."]


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None if name == "trackio" else object())
    check_trackers(["tensorboard"])
    with pytest.raises(RecipeError, match="trackio is not installed; run: pip install trackio"):
        check_trackers(["tensorboard", "trackio"])


def test_only_what_was_measured_is_passed_on() -> None:
    event = TrainEvent("train", 4, 9, 1.5, None, 1e-4, 0.7, 900.0)
    assert scalars_of(event) == {
        "train/loss": 1.5, "train/learning_rate": 1e-4, "train/grad_norm": 0.7, "train/tokens_per_second": 900.0,
    }  # fmt: skip
    assert scalars_of(TrainEvent("validation", 4, validation_loss=2.0)) == {"eval/loss": 2.0}
    assert scalars_of(TrainEvent("note", 4, text="x")) == scalars_of(TrainEvent("train", 4)) == {}
