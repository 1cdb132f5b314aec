"""Preference training by trl's losses: what it learns, that it resumes to the same losses, and what it refuses."""

import itertools
import json
from pathlib import Path

import pytest

from poetune.backends.table import open_engine
from poetune.errors import EngineError
from poetune.ports import Request, ScoreRequest, TrainJob, Weights
from poetune.recipe import Preferring
from poetune.records import Conversation, Example, Message, Sampling

pytestmark = pytest.mark.torch
ASKED = Conversation((Message("user", "Write of rain."),), lead="\n")
GOOD = ["The rain came down\non the slate roof.", "The gutter sang\nto the yard.", "I keep the lamp\nlow all night."]
POOR = ["rain rain rain rain", "and and and and", "low low low low low"]


def settings(loss, **more):
    own = {"steps": 6, "epochs": 0, "rate": 5e-3, "warmup": 0, "batch": 4, "rank": 4, "layers": 0, "dropout": 0.0}
    own |= {"modules": ["q_proj", "v_proj", "down_proj"], "report_every": 1, "validate_every": 2, "checkpoint_every": 2}
    return Preferring(**{**own, "loss": loss, **more})


def job(base, folder: Path, loss: str, **more) -> TrainJob:
    rows = []
    for i, (good, poor) in enumerate(itertools.product(GOOD, POOR)):
        split = "validation" if i == 4 else "train"
        if loss == "dpo":
            rows.append(Example(ASKED, good, split, rejected=poor))
        else:
            rows += [Example(ASKED, f"{good}{i}", split, liked="yes"), Example(ASKED, f"{poor} {i}", split, liked="no")]
    return TrainJob(Weights(base), rows, settings(loss, **more), 3, folder)


def losses(events):
    return [(e.kind, e.step, e.loss, e.validation_loss) for e in events if e.kind in ("train", "validation")]


@pytest.mark.parametrize("loss", ["dpo", "kto"])
def test_what_was_preferred_becomes_likelier_than_what_was_not(mini, loss, tmp_path):
    base, engine = mini("llama"), open_engine("torch", device="cpu")
    events = list(engine.train(job(base, tmp_path, loss)))
    told = [e.validation_loss for e in events if e.kind == "validation"]
    assert told[-1] < told[0]
    assert told[0] == pytest.approx(0.6931 if loss == "dpo" else 0.5, abs=1e-3)  # where the model is its own reference
    last = [e.folder for e in events if e.kind == "checkpoint"][-1]

    def margin(adapter=""):
        scores = engine.score([ScoreRequest(Weights(base, adapter), text, ASKED) for text in (GOOD[0], POOR[0])])
        return scores[0].log_likelihood - scores[1].log_likelihood

    assert margin(str(last)) > margin() + 1
    request = Request("a", Weights(base, str(last)), ASKED, Sampling(max_tokens=8), 1)
    assert next(iter(engine.generate([request]))).id == "a"
    assert (last / "adapter_config.json").is_file()
    assert (last / "tokenizer.json").is_file()


@pytest.mark.parametrize("loss", ["dpo", "kto"])
def test_a_killed_training_goes_on_to_the_same_losses(mini, loss, tmp_path):
    base = mini("llama")
    whole = losses(open_engine("torch", device="cpu").train(job(base, tmp_path / "whole", loss)))
    heard = []
    for event in open_engine("torch", device="cpu").train(job(base, tmp_path / "cut", loss)):
        if event.kind == "checkpoint" and event.step == 2:
            break
        heard.append(event)
    rest = list(open_engine("torch", device="cpu").train(job(base, tmp_path / "cut", loss)))
    assert next(e.step for e in rest if e.kind == "start") == 2
    assert losses([*heard, *rest]) == whole
    with pytest.raises(EngineError, match="other data or settings"):
        list(open_engine("torch", device="cpu").train(job(base, tmp_path / "cut", loss, beta=0.3)))


def test_the_base_writes_as_before_and_the_ids_are_those_of_writing(mini, tmp_path):
    from poetune.backends.bases import open_renderer
    from poetune.backends.torch.preference import rows_of

    base, engine = mini("qwen2"), open_engine("torch", device="cpu")
    before = engine.score([ScoreRequest(Weights(base), "The gutter sang.", ASKED)])
    list(engine.train(job(base, tmp_path, "dpo", steps=2, modules=["q_proj"])))
    assert engine.score([ScoreRequest(Weights(base), "The gutter sang.", ASKED)]) == before
    renderer = open_renderer(Path(base))
    (row, *_) = rows_of(renderer, job(base, tmp_path, "dpo").examples, "train", settings("dpo"))
    assert row["prompt_ids"] == engine.render(Weights(base), ASKED)
    assert row["chosen_ids"] == [*renderer.completion(GOOD[0]), renderer.eos]


def test_rows_too_long_are_left_out_and_missing_trl_is_said(mini, tmp_path, monkeypatch):
    with pytest.raises(EngineError, match=r"no preference row fits finetune\.longest"):
        list(open_engine("torch", device="cpu").train(job(mini("llama"), tmp_path, "dpo", longest=16)))
    monkeypatch.setattr("poetune.backends.torch.preference.find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r'needs trl, .*pip install "poetune\[torch\]"'):
        list(open_engine("torch", device="cpu").train(job(mini("llama"), tmp_path, "dpo")))
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_says_what_it_is(mini, tmp_path):
    list(open_engine("torch", device="cpu").train(job(mini("llama"), tmp_path, "dpo", steps=2)))
    note = json.loads((tmp_path / "checkpoint-000002" / "poetune.json").read_text("utf-8"))
    assert (note["engine"], note["method"], note["step"]) == ("torch", "lora", 2)
