"""Frozen lower layers that do not run: the same losses and adapters as with all layers, and less in memory."""

from pathlib import Path

import pytest

pytest.importorskip("mlx_lm")

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_trainings import ASKED, course, job, settings

from poetune.backends.mlx import formats, opening
from poetune.backends.mlx.decoder import Decoder
from poetune.backends.mlx.states import MlxStates
from poetune.backends.table import open_engine
from poetune.errors import EngineError
from poetune.ports import Request, Weights
from poetune.records import Sampling


def train(base, folder, asked, cache, **more):
    events = list(open_engine("mlx").train(job(base, folder, asked, cache=cache, **more)))
    last = [e.folder for e in events if e.kind == "checkpoint"][-1]
    return course(events), formats.read(last).tensors, [e.text for e in events]


@pytest.mark.parametrize("method", ["lora", "dora"])
@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3", "gpt2"])
def test_with_the_cache_a_training_is_the_same(mini_mlx, tmp_path, architecture, method):
    base, cache = mini_mlx(architecture), tmp_path / "cache"
    asked = {"layers": 1, "method": method}
    all_layers, weights, _ = train(base, tmp_path / "a", settings(architecture, cache="off", **asked), cache)
    assert not cache.exists()
    upper, same, said = train(base, tmp_path / "b", settings(architecture, **asked), cache)
    assert any("added to the cache" in text for text in said)
    for mine, other in zip(all_layers, upper, strict=True):
        assert mine[:2] == other[:2]
        assert [x for x in mine[2:] if x] == pytest.approx([x for x in other[2:] if x], rel=1e-5)
    assert weights.keys() == same.keys()
    assert all(mx.allclose(weights[name], same[name], atol=1e-5) for name in weights)


def test_another_setting_of_a_sweep_finds_it_filled_and_runs_no_lower_layer(mini_mlx, tmp_path, monkeypatch):
    base, cache, ran = mini_mlx(), tmp_path / "cache", []
    plain = Decoder.run

    def noted(self, states, layers):
        ran.append([i for i, own in enumerate(self.layers) for layer in layers if own is layer])
        return plain(self, states, layers)

    monkeypatch.setattr(Decoder, "run", noted)
    train(base, tmp_path / "a", settings(layers=1), cache)
    assert [0] in ran
    before = sorted(cache.rglob("*"))
    ran.clear()
    _, _, said = train(base, tmp_path / "b", settings(layers=1, rank=3), cache)
    assert any("the cache has what they give" in text for text in said)
    assert sorted(cache.rglob("*")) == before
    assert ran
    assert all(each == [2] for each in ran)


def test_what_was_filled_is_dropped_from_memory(mini_mlx, tmp_path):
    base, cache = mini_mlx("qwen2"), tmp_path / "cache"
    asked = job(base, tmp_path, settings(layers=1), cache=cache)
    opened = opening.open_for_training(Path(base), "print", asked, [(5, 6, 7), (8, 9)], lambda: None)
    held = [sum(each.size for _, each in tree_flatten(layer.parameters())) for layer in opened.base.model.layers]
    assert held[:2] == [0, 0]
    assert held[2] > 0
    assert opened.base.model.model.embed_tokens.weight.size == 0


@pytest.mark.parametrize(
    ("changed", "fills"),
    [({"layers": 2}, True), ({"layers": [2]}, False), ({"layers": [0, 2]}, None), ({"quantize": "8bit"}, True)],
)
def test_an_entry_is_of_its_boundary_and_number_format(mini_mlx, tmp_path, changed, fills):
    base, cache = mini_mlx(), tmp_path / "cache"
    train(base, tmp_path / "a", settings(layers=1), cache)
    _, _, said = train(base, tmp_path / "b", settings(**{"layers": 1, **changed}), cache)
    assert any("added to the cache" in text for text in said) == bool(fills)
    assert any("frozen" in text for text in said) == (fills is not None)


def test_sample_poems_are_written_by_all_layers(mini_mlx, tmp_path):
    base = mini_mlx()
    asked = [Request("s", Weights(base), ASKED, Sampling(max_tokens=12), 5)]
    told = []
    for cache in (tmp_path / "cache", None):
        made = job(
            base, tmp_path / f"run-{cache is None}", settings(layers=1, sample_every=5), cache=cache, samples=asked
        )
        told.append([e.text for e in open_engine("mlx").train(made) if e.kind == "sample"])
    assert told[0] == told[1]
    assert len(told[0]) == 1


def test_a_damaged_cache_is_said(mini_mlx, tmp_path):
    base, cache = mini_mlx(), tmp_path / "cache"
    train(base, tmp_path / "a", settings(layers=1), cache)
    (part,) = cache.rglob("*.safetensors")
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(EngineError, match="the cache is damaged; delete its folder"):
        train(base, tmp_path / "b", settings(layers=1, rank=3), cache)


def test_states_come_back_bit_for_bit(tmp_path):
    texts = [(1, 2, 3), (4, 5)]
    for kind in (mx.float32, mx.bfloat16):
        states = MlxStates(tmp_path / str(kind), "key")
        made = [mx.random.normal((len(ids), 8)).astype(kind) for ids in texts]
        states.add(texts, made)
        again = MlxStates(tmp_path / str(kind), "key")
        assert not again.missing(texts)
        for ids, each in zip(texts, made, strict=True):
            assert again.get(ids).dtype == kind
            assert mx.array_equal(again.get(ids), each)
