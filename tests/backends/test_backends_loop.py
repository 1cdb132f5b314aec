"""A run that dies at any of its file operations ends as one that did not."""

import os
import shutil
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.backends import checkpoints
from poetune.backends.checkpoints import Found, Note
from poetune.backends.echo import EchoEngine
from poetune.backends.schedule import rate_at
from poetune.errors import EngineError
from poetune.ports import TrainJob, Weights
from poetune.recipe import Finetune
from poetune.records import Conversation, Example


class Died(BaseException):
    pass


def job(folder):
    examples = [Example(Conversation(raw=f"{i}:"), "the rain came " * (i + 1), "train") for i in range(8)]
    examples.append(Example(Conversation(raw="v:"), "the rain", "validation"))
    settings = Finetune(steps=8, checkpoint_every=2, validate_every=2, report_every=3, keep=2, warmup=0)
    return TrainJob(Weights("any"), examples, settings, 1, folder)


def course(events):
    return {(e.kind, e.step): (e.loss, e.validation_loss) for e in events if e.kind in ("train", "validation")}


def test_death_at_every_file_operation(tmp_path, monkeypatch):
    whole = list(EchoEngine().train(job(tmp_path / "whole")))
    there = sorted(p.relative_to(tmp_path / "whole") for p in (tmp_path / "whole").rglob("*"))
    left = [0]

    def mortal(real):
        def call(*arguments, **known):
            left[0] -= 1
            if left[0] == 0:
                raise Died
            return real(*arguments, **known)

        return call

    for module, name in ((os, "rename"), (shutil, "rmtree"), (checkpoints, "_fsync")):
        monkeypatch.setattr(module, name, mortal(getattr(module, name)))
    for operation in count(1):
        folder = tmp_path / f"dies-{operation}"
        left[0] = operation
        seen = []
        try:
            for event in EchoEngine().train(job(folder)):
                seen.append(event)
        except Died:
            pass
        else:
            break
        left[0] = -1
        again = list(EchoEngine().train(job(folder)))
        assert course(seen) | course(again) == course(whole)
        assert sorted(p.relative_to(folder) for p in folder.rglob("*")) == there
        known = {e.folder.name for e in seen + again if e.kind == "checkpoint"}
        gone = {e.folder.name for e in seen + again if e.kind == "removed"}
        assert {p.name for p in folder.iterdir()} == known - gone
    assert operation > 20


@given(st.lists(st.one_of(st.none(), st.floats(0, 9)), min_size=1, max_size=9), st.integers(0, 5))
def test_latest_and_best_always_stay(losses, keep):
    kept = [
        Found(checkpoints.Path(f"c{i}"), Note("e", "lora", i, 9, "", "", "", 1.0, loss))
        for i, loss in enumerate(losses)
    ]
    gone = checkpoints.surplus(kept, keep)
    stay = [each for each in kept if each not in gone]
    assert kept[-1] in stay
    assert checkpoints.best(kept) in stay
    assert not keep or len(stay) <= max(keep, 2)
    assert keep != 0 or stay == kept


@given(st.integers(1, 300), st.integers(0, 50), st.sampled_from(["cosine", "linear", "constant"]))
def test_rates_rise_then_fall_to_the_last(total, warmup, schedule):
    settings = Finetune(rate=1e-3, rate_initial=1e-7, rate_final=1e-6, warmup=warmup, schedule=schedule)
    rates = [rate_at(settings, step, total) for step in range(1, total + 1)]
    top = rates.index(max(rates))
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert max(rates) <= 1e-3 * (1 + 1e-9)
    if total > 2 * warmup + 1 and schedule != "constant":
        assert rates[-1] == pytest.approx(1e-6)


def test_a_damaged_note_is_said(tmp_path):
    (tmp_path / "checkpoint-000001").mkdir()
    (tmp_path / "checkpoint-000001" / "poetune.json").write_text("{")
    with pytest.raises(EngineError, match="damaged"):
        checkpoints.found(tmp_path)
