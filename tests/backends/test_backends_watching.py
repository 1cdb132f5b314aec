"""Early stopping, overfitting, losses that are no number and a full disk, in the loop that all engines share."""

import errno
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.backends import checkpoints, echo
from poetune.backends.echo import EchoEngine
from poetune.backends.loop import Identity, Stepped, run
from poetune.backends.watching import Watch
from poetune.errors import EngineError
from poetune.ports import Request, TrainJob, Weights
from poetune.recipe import Finetune
from poetune.records import Conversation, Example, Sampling


class Scripted:
    """A learner whose losses are written down: `held` by step, `train` nats of every step's one token."""

    notes = ()

    def __init__(self, held, train=lambda step: 1.0, norm=lambda step: 0.5, broken=None):
        self.held, self.train, self.norm, self.broken = held, train, norm, broken
        self.at, self.steps = 0, []

    def step(self, number, rate):
        self.at = number
        self.steps.append(number)
        return Stepped(self.train(number), 1, 1, self.norm(number))

    def validate(self):
        return self.held(self.at)

    def sample(self):
        return []

    def save(self, folder):
        if self.at == self.broken:
            raise FloatingPointError
        (folder / "weights").write_text(str(self.at))

    def save_resume(self, folder):
        (folder / "state").write_text(str(self.at))

    def resume(self, folder, resume):
        self.at = int((resume / "state").read_text())


def train(folder, mind, **settings):
    small = {"steps": 20, "validate_every": 2, "checkpoint_every": 5, "report_every": 5, "warmup": 0}
    job = TrainJob(Weights("any"), [], Finetune(**{**small, **settings}), 1, folder)
    return run(job, job.settings.steps, Identity("x", "run", "base", "template"), lambda: mind)


def valley(step):
    """Falls to step 6, then rises."""
    return 3 - step / 10 if step <= 6 else 2.4 + (step - 6) / 10


def test_it_stops_when_nothing_gets_better_and_the_best_is_on_disk(tmp_path):
    mind = Scripted(valley)
    events = list(train(tmp_path, mind, patience=3))
    assert mind.steps[-1] == 12  # 6 was best; 8, 10 and 12 were not
    stopped = next(e for e in events if e.kind == "stopped")
    assert (stopped.step, stopped.validation_loss) == (12, pytest.approx(2.4))
    assert "12 of 20" in stopped.text
    assert "at step 6" in stopped.text
    kept = checkpoints.found(tmp_path)
    assert [each.note.step for each in kept] == [2, 4, 5, 6, 8, 10, 12]
    assert checkpoints.best(kept).note.step == 6
    assert [e.validation_loss for e in events if e.kind == "checkpoint" and e.step == 5] == [None]
    assert not list(tmp_path.rglob("resume"))
    again = Scripted(valley)
    told = list(train(tmp_path, again, patience=3))
    assert again.steps == []
    assert {e.kind for e in told} == {"start", "checkpoint", "stopped"}
    assert next(e for e in told if e.kind == "stopped") == stopped


@pytest.mark.parametrize("stop_at", [3, 7, 9, 11])
def test_patience_goes_on_where_a_killed_run_stood(tmp_path, stop_at):
    whole = [(e.kind, e.step) for e in train(tmp_path / "whole", Scripted(valley), patience=3)]
    seen = []
    for event in train(tmp_path / "broken", Scripted(valley), patience=3):
        if event.step >= stop_at:
            break
        seen.append((event.kind, event.step))
    resumed = [(e.kind, e.step) for e in train(tmp_path / "broken", Scripted(valley), patience=3)]
    assert set(seen) | set(resumed[1:]) | {("start", 0)} == set(whole) | {("start", 0)}
    assert resumed[-1] == whole[-1] == ("checkpoint", 12)


def test_without_patience_or_validation_it_never_stops(tmp_path):
    assert not [e for e in train(tmp_path / "a", Scripted(valley)) if e.kind == "stopped"]
    events = list(train(tmp_path / "b", Scripted(lambda step: None), patience=1))
    assert not [e for e in events if e.kind == "stopped"]
    assert any("no validation examples" in e.text for e in events)


def test_overfitting_is_named_once_where_it_starts(tmp_path):
    events = list(train(tmp_path, Scripted(valley, lambda step: 3 - step / 10)))
    notes = [e for e in events if e.kind == "note"]
    assert [e.step for e in notes] == [10]
    assert "risen to 2.800 while training fell to 2.050, a gap of 0.750" in notes[0].text
    assert "best is step 6" in notes[0].text


def test_a_rise_with_the_training_loss_is_no_overfitting(tmp_path):
    events = train(tmp_path / "a", Scripted(valley, lambda step: 1 + step / 10))
    assert not [e for e in events if e.kind == "note"]
    saw = train(tmp_path / "b", Scripted(lambda step: 2 + step / 50 + step // 2 % 2 / 5, lambda step: 3 - step / 10))
    assert not [e for e in saw if e.kind == "note"]


@given(st.lists(st.floats(0.1, 9), min_size=1, max_size=30), st.integers(1, 5))
def test_it_never_stops_within_patience_of_the_best(losses, patience):
    watch, kept = Watch(), Watch()
    for i, loss in enumerate(losses):
        watch.validated(i, loss)
        kept.validated(i, loss)
        kept = Watch.of(kept.kept())
        assert watch == kept
        assert watch.best == min(losses[: i + 1])
        assert watch.best_step == losses.index(watch.best)
        assert bool(watch.over(patience, i, 99)) == (i - watch.best_step >= patience)


@pytest.mark.parametrize(
    "mind",
    [
        Scripted(valley, lambda step: math.nan if step == 8 else 1.0),
        Scripted(valley, norm=lambda step: math.inf if step == 8 else 0.5),
        Scripted(lambda step: math.nan if step == 8 else 1.0),
        Scripted(valley, broken=8),
    ],
)
def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path, mind):
    with pytest.raises(EngineError, match=r"at step 8 \(checkpoint-000006 is kept\); lower finetune.rate"):
        list(train(tmp_path, mind, checkpoint_every=2))
    assert [each.note.step for each in checkpoints.found(tmp_path)] == [2, 4, 6]
    assert next(train(tmp_path, Scripted(valley), checkpoint_every=2)).step == 6


def test_the_gradient_norm_is_the_largest_since_the_last_report(tmp_path):
    events = train(tmp_path, Scripted(valley, norm=lambda step: float(step % 4)))
    assert [e.gradient_norm for e in events if e.kind == "train"] == [3, 3, 3, 3]
    events = train(tmp_path / "b", Scripted(valley, norm=lambda step: float(step)), report_every=20, steps=40)
    for event in events:
        if (event.kind, event.step) == ("checkpoint", 15):
            break
    told = train(tmp_path / "b", Scripted(valley, norm=lambda step: 1.0), report_every=20, steps=40)
    assert next(e for e in told if e.kind == "train").gradient_norm == 15  # of before the break


def echo_job(folder, **settings):
    examples = [Example(Conversation(raw=f"{i}:"), "the rain came " * (i + 1), "train") for i in range(8)]
    examples.append(Example(Conversation(raw="v:"), "the rain", "validation"))
    small = {"steps": 8, "checkpoint_every": 2, "validate_every": 2, "warmup": 0}
    return TrainJob(Weights("any"), examples, Finetune(**{**small, **settings}), 1, folder)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("I/O (os error 28)")])
def test_a_full_disk_leaves_what_was_saved(tmp_path, monkeypatch, error):
    saved = echo._save

    def full(model, folder):
        if "000006" in folder.name:
            (folder / "half").write_text("written")
            raise error
        saved(model, folder)

    with monkeypatch.context() as patched:
        patched.setattr(echo, "_save", full)
        with pytest.raises(EngineError, match="checkpoint-000006: the disk is full; what was saved before is whole"):
            list(EchoEngine().train(echo_job(tmp_path)))
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"checkpoint-00000{n}" for n in (2, 4)]
    assert [e.step for e in EchoEngine().train(echo_job(tmp_path)) if e.kind == "checkpoint"] == [2, 4, 6, 8]


def test_echo_samples_and_stops_as_every_engine(tmp_path):
    asked = [Request(f"s{i}", Weights("any"), Conversation(raw="1:"), Sampling(max_tokens=20), i) for i in range(2)]
    job = replace(echo_job(tmp_path, sample_every=4, patience=1), samples=asked)
    events = list(EchoEngine().train(job))
    assert [(e.step, e.request) for e in events if e.kind == "sample"][:2] == [(4, "s0"), (4, "s1")]
    assert any(e.text for e in events if e.kind == "sample")
