"""What a training will take is told before it is loaded, and is near what it then takes."""

import gc
from pathlib import Path

import pytest

pytest.importorskip("mlx_lm")

import mlx.core as mx
from mlx_trainings import job, rows_of, settings

from poetune.backends.mlx import loading, needs
from poetune.backends.mlx.opening import open_for_training
from poetune.backends.mlx.training import MlxLearner
from poetune.backends.rows import Row, Rows
from poetune.backends.table import open_engine


@pytest.mark.parametrize(
    ("method", "layers", "quantize"),
    [("lora", 0, "no"), ("lora", 2, "no"), ("full", 0, "no"), ("lora", 2, "4bit"), ("dora", 2, "no")],
)
def test_the_peak_is_foretold_within_two_fifths(mini_mlx, tmp_path, method, layers, quantize):
    base = mini_mlx("qwen2", size=128, layers=6)
    asked = settings(method=method, layers=layers, modules=["all-linear"], quantize=quantize, batch=8, dropout=0)
    rows = Rows(tuple(Row((row.ids * 6)[:96], 20) for row in rows_of(base, 8)))
    gc.collect()
    mx.clear_cache()
    before, dtype = mx.get_active_memory(), loading.pick_dtype(asked)
    made = job(base, tmp_path, asked, cache=tmp_path / "cache")
    texts = [row.ids[:-1] for row in rows.rows]
    opened = open_for_training(Path(base), "", made, texts, lambda: loading.load(Path(base), dtype, quantize))
    mind = MlxLearner(opened, made, rows, rows)
    mind.step(1, 1e-3)
    mx.reset_peak_memory()
    mind.step(2, 1e-3)
    found = needs.memory(loading.check(Path(base)), asked, 96, 76, dtype)
    assert found.total == pytest.approx(mx.get_peak_memory() - before, rel=0.4)


def test_the_cache_leaves_lower_layers_out(mini_mlx, tmp_path):
    config = loading.check(Path(mini_mlx("qwen2")))
    asked = settings(layers=1)
    with_cache, without = (needs.memory(config, asked, 50, 40, mx.float32, caches=yes) for yes in (True, False))
    assert with_cache.parameters == without.parameters
    assert with_cache.weights < without.weights / 2


@pytest.mark.parametrize("method", ["lora", "dora", "full"])
def test_what_trains_is_counted_exactly(mini_mlx, tmp_path, method):
    asked = settings(method=method, steps=1)
    found = open_engine("mlx").needs(job(mini_mlx(), tmp_path / "never", asked))
    events = list(open_engine("mlx").train(job(mini_mlx(), tmp_path / "run", asked)))
    name = "model.safetensors" if method == "full" else "adapters.safetensors"
    tensors = mx.load(str(events[-1].folder / name))
    assert found.trained == sum(each.size for each in tensors.values())
    whole = mx.load(str(Path(mini_mlx()) / "model.safetensors"))
    assert found.parameters == sum(each.size for each in whole.values())
