"""Adapters on mlx: in the formats of mlx-lm and peft, swapped on one base, merged; bases as transformers keeps them."""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("mlx_lm")

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.utils import load, load_model
from mlx_trainings import ASKED, job, settings

from poetune.backends.mlx import loading
from poetune.backends.table import open_engine
from poetune.errors import EngineError
from poetune.ports import Request, ScoreRequest, Weights
from poetune.records import Sampling

TEXT = "The rain came down.\nIt stayed."


def trained(base, folder, architecture="llama", **more):
    asked = settings(architecture, **{"steps": 2, "rate": 0.05, "checkpoint_every": 1, **more})
    list(open_engine("mlx").train(job(base, folder, asked)))
    return folder / "checkpoint-000002"


def score(base, adapter="", text=TEXT):
    return open_engine("mlx").score([ScoreRequest(Weights(base, str(adapter)), text, ASKED)])[0].log_likelihood


def by_mlx_lm(base, adapter):
    """The same log-likelihood by mlx-lm alone."""
    model, _ = load(base, adapter_path=str(adapter) if adapter else None)
    engine = open_engine("mlx")
    prompt = engine.render(Weights(base), ASKED)
    renderer = engine._identity(Path(base))[0]
    ids = [*prompt, *renderer.completion(TEXT), renderer.eos]
    logits = model(mx.array([ids[:-1]]))[0].astype(mx.float32)
    nats = mx.logsumexp(logits, axis=-1) - mx.take_along_axis(logits, mx.array(ids[1:])[:, None], axis=-1)[:, 0]
    return -nats[len(prompt) - 1 :].sum().item()


@pytest.mark.parametrize("layers", [0, 2, [0, 2]])
@pytest.mark.parametrize("method", ["lora", "dora", "rslora"])
def test_mlx_lm_loads_what_was_trained_here(mini_mlx, tmp_path, method, layers):
    base = mini_mlx()
    adapter = trained(base, tmp_path, method=method, layers=layers, rank=4)
    assert abs(score(base, adapter) - score(base)) > 0.05
    assert by_mlx_lm(base, adapter) == pytest.approx(score(base, adapter), rel=1e-5)
    names = {int(name.split(".")[2]) for name in mx.load(str(adapter / "adapters.safetensors"))}
    assert names == {0: {0, 1, 2}, 2: {1, 2}}.get(layers if isinstance(layers, int) else -1, {0, 2})


def test_mlx_lms_own_folders_and_step_files_are_used(mini_mlx, tmp_path):
    from mlx_trainings import plain_training, rows_of

    base = mini_mlx()
    plain_training(base, rows_of(base, 4), tmp_path, batch_size=2, iters=4, steps_per_save=2)
    lora = {"rank": 2, "scale": 8.0, "dropout": 0.0, "keys": ["self_attn.q_proj"]}
    (tmp_path / "adapter_config.json").write_text(json.dumps({"num_layers": 3, "lora_parameters": lora}))
    steps = [score(base, tmp_path / f"000000{n}_adapters.safetensors") for n in (2, 4)]
    assert len({score(base), *steps}) == 3
    assert score(base, tmp_path) == steps[1]
    assert by_mlx_lm(base, tmp_path) == pytest.approx(steps[1], rel=1e-5)
    (tmp_path / "alone").mkdir()
    shutil.copy(tmp_path / "0000002_adapters.safetensors", tmp_path / "alone")
    with pytest.raises(EngineError, match="beside it is missing; copy both"):
        score(base, tmp_path / "alone" / "0000002_adapters.safetensors")


def test_adapters_are_swapped_on_one_base_that_stays_as_it_was(mini_mlx, tmp_path, monkeypatch):
    base = mini_mlx()
    adapters = [trained(base, tmp_path / str(n), rank=n, layers=n) for n in (1, 2, 3)]
    loads = []
    plain = loading.load
    monkeypatch.setattr(loading, "load", lambda *a, **k: loads.append(a) or plain(*a, **k))
    engine = open_engine("mlx", batch=4)
    grid = [
        Request(f"{i}-{seed}", Weights(base, str(each) if each else ""), ASKED, Sampling(max_tokens=8), seed)
        for i, each in enumerate([*adapters, None])
        for seed in range(3)
    ]
    before = dict(tree_flatten(plain(Path(base), mx.float32).model.parameters()))
    together = {w.id: w for w in engine.generate(grid)}
    assert together == {w.id: w for w in engine.generate(reversed(grid))}
    assert len({together[f"{i}-0"].text for i in range(4)}) == 4
    assert len(loads) == 1
    after = dict(tree_flatten(engine._wear(Weights(base)).model.parameters()))
    assert before.keys() == after.keys()
    assert all(mx.array_equal(before[name], after[name]) for name in before)


def test_an_adapter_that_does_not_fit_leaves_the_base_bare(mini_mlx, tmp_path):
    base, engine = mini_mlx(), open_engine("mlx")
    adapter = trained(base, tmp_path / "a")
    stranger = tmp_path / "stranger"
    shutil.copytree(adapter, stranger)
    (stranger / "poetune.json").unlink()
    bare = score(base)
    wide = {n: mx.concatenate([w, w]) for n, w in mx.load(str(stranger / "adapters.safetensors")).items()}
    mx.save_safetensors(str(stranger / "adapters.safetensors"), wide)
    with pytest.raises(EngineError, match="of this shape; name the base it was made for"):
        engine.score([ScoreRequest(Weights(base, str(stranger)), TEXT, ASKED)])
    assert engine.score([ScoreRequest(Weights(base), TEXT, ASKED)])[0].log_likelihood == bare


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3", "gpt2"])
@pytest.mark.parametrize("method", ["lora", "dora", "full"])
def test_merged_and_full_models_are_bases_again(mini_mlx, tmp_path, architecture, method):
    base = mini_mlx(architecture)
    checkpoint = trained(base, tmp_path / "run", architecture, method=method, rate=0.01)
    open_engine("mlx").merge(Weights(base, str(checkpoint)), tmp_path / "merged")
    assert score(str(tmp_path / "merged")) == pytest.approx(score(base, checkpoint), rel=1e-5)
    ours = mx.load(str(tmp_path / "merged" / "model.safetensors"))
    theirs = mx.load(str(Path(base) / "model.safetensors"))
    assert {name: each.shape for name, each in ours.items()} == {name: each.shape for name, each in theirs.items()}


def test_rope_parameters_of_transformers_5_are_read(mini_mlx, tmp_path):
    told = mini_mlx("llama", rope_theta=500.0)
    as_of_now = tmp_path / "base"
    shutil.copytree(told, as_of_now)
    config = json.loads((as_of_now / "config.json").read_text())
    config["rope_parameters"] = {"rope_type": "default", "rope_theta": config.pop("rope_theta")}
    (as_of_now / "config.json").write_text(json.dumps(config))
    assert score(str(as_of_now)) == score(told)
    assert abs(by_mlx_lm(str(as_of_now), None) - score(told)) > 1e-3  # mlx-lm takes 10,000 and says nothing


def test_gpt2_with_the_names_of_today_is_read(mini_mlx, tmp_path):
    base = mini_mlx("gpt2")
    renamed = tmp_path / "base"
    shutil.copytree(base, renamed)
    tensors = mx.load(str(Path(base) / "model.safetensors"))
    mx.save_safetensors(str(renamed / "model.safetensors"), {f"transformer.{n}": t for n, t in tensors.items()})
    assert score(str(renamed)) == score(base)
    with pytest.raises(ValueError, match="not in model"):
        load_model(renamed)
    checkpoint = trained(str(renamed), tmp_path / "run", "gpt2", method="full", rate=0.01)
    assert all(name.startswith("transformer.") for name in mx.load(str(checkpoint / "model.safetensors")))
