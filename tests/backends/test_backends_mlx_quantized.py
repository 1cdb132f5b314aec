"""4- and 8-bit bases on mlx: kept so by mlx-lm's own convert, or made so on loading; trained, written from, merged."""

import contextlib
import io
import json

import pytest

pytest.importorskip("mlx_lm")

import mlx.core as mx
from mlx import nn
from mlx_lm.utils import load, quantize_model, save_model
from mlx_trainings import ASKED, job, settings

from poetune.backends.bases import copy_tokenizer
from poetune.backends.mlx import loading, merging
from poetune.backends.table import open_engine
from poetune.errors import EngineError
from poetune.ports import Request, ScoreRequest, Weights
from poetune.records import Sampling

TEXT = "The rain came down.\nIt stayed."


@pytest.fixture(scope="module")
def kept(mini_mlx, tmp_path_factory):
    """A base quantized by mlx-lm, by bits."""
    made = {}

    def get(bits):
        if bits not in made:
            folder, source = tmp_path_factory.mktemp(f"kept-{bits}"), merging.Path(mini_mlx("qwen2", size=64))
            with contextlib.redirect_stdout(io.StringIO()):
                model, _, config = load(str(source), return_config=True)
                model, config = quantize_model(model, config, 64, bits)
            save_model(folder, model)
            copy_tokenizer(source, folder)
            (folder / "config.json").write_text(json.dumps(config))
            made[bits] = str(folder)
        return made[bits]

    return get


def score(engine, base, adapter=""):
    return engine.score([ScoreRequest(Weights(str(base), str(adapter)), TEXT, ASKED)])[0].log_likelihood


def train(engine, base, folder, **more):
    asked = settings(**{"steps": 12, "rate": 0.02, "batch": 8, "validate_every": 12, "modules": ["all-linear"], **more})
    events = list(engine.train(job(base, folder, asked, cache=folder / "cache")))
    losses = [e.validation_loss for e in events if e.kind == "validation"]
    return [e.folder for e in events if e.kind == "checkpoint"][-1], losses


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(("method", "layers"), [("lora", 0), ("dora", 1)])
def test_a_quantized_base_is_trained_and_written_from(kept, tmp_path, bits, method, layers):
    engine, base = open_engine("mlx"), kept(bits)
    adapter, losses = train(engine, base, tmp_path, method=method, layers=layers)
    assert losses[-1] < losses[0] - 0.02
    model = engine._wear(Weights(base, str(adapter))).model
    assert any(isinstance(module, nn.QuantizedLinear) and module.bits == bits for module in model.modules())
    sampling = Sampling(max_tokens=12)
    grid = [Request(f"{i}", Weights(base, str(adapter) if i % 2 else ""), ASKED, sampling, i) for i in range(4)]
    assert {w.id: w for w in engine.generate(grid)} == {w.id: w for w in engine.generate(reversed(grid))}


@pytest.mark.parametrize("bits", [4, 8])
def test_a_merged_model_is_in_full_precision(kept, tmp_path, bits):
    engine, base = open_engine("mlx"), kept(bits)
    adapter, _ = train(engine, base, tmp_path / "run", steps=4)
    engine.merge(Weights(base, str(adapter)), tmp_path / "merged")
    config = json.loads((tmp_path / "merged" / "config.json").read_text())
    assert not {"quantization", "quantization_config"} & set(config)
    tensors = mx.load(str(tmp_path / "merged" / "model.safetensors"))
    assert {str(each.dtype) for each in tensors.values()} == {"mlx.core.float32"}
    assert score(engine, tmp_path / "merged") == pytest.approx(score(engine, base, adapter), rel=1e-4)


@pytest.mark.parametrize("quantize", ["4bit", "8bit"])
def test_a_full_base_is_quantized_on_loading_and_its_adapter_worn_so(mini_mlx, tmp_path, quantize):
    engine, base = open_engine("mlx"), mini_mlx("qwen2")  # 32 wide: mlx-lm itself would leave it as it is
    adapter, losses = train(engine, base, tmp_path / "run", quantize=quantize)
    worn = engine._wear(Weights(base, str(adapter)))
    assert {m.bits for m in worn.model.modules() if isinstance(m, nn.QuantizedLinear)} == {loading.BITS[quantize]}
    held = [ScoreRequest(Weights(base, str(adapter)), e.completion, ASKED) for e in job(base, tmp_path).examples[-2:]]
    scores = engine.score(held)
    assert -sum(s.log_likelihood for s in scores) / sum(s.tokens for s in scores) == pytest.approx(losses[-1], rel=1e-4)
    engine.merge(Weights(base, str(adapter)), tmp_path / "merged")
    assert score(engine, tmp_path / "merged") != score(engine, base, adapter)  # into the base's own full weights
    gap = {"4bit": 0.1, "8bit": 0.01}[quantize]
    assert score(engine, tmp_path / "merged") == pytest.approx(score(engine, base, adapter), rel=gap)


def test_swapping_adapters_does_not_quantize_again(mini_mlx, tmp_path, monkeypatch):
    engine, base = open_engine("mlx"), mini_mlx("qwen2")
    adapters = [train(engine, base, tmp_path / str(n), quantize="4bit", rank=n, steps=1)[0] for n in (1, 2)]
    engine._bare(loading.Path(base), mx.float32, "no")
    calls = []
    plain = loading.quantized
    monkeypatch.setattr(loading, "quantized", lambda *a: calls.append(a) or plain(*a))
    first = [score(engine, base, adapter) for adapter in adapters]
    assert [score(engine, base, adapter) for adapter in adapters] == first
    assert len(calls) == 1


def test_asking_for_the_bits_that_a_base_has_changes_nothing(kept, tmp_path):
    engine = open_engine("mlx")
    said = [train(engine, kept(8), tmp_path / how, quantize=how, steps=2)[1] for how in ("8bit", "no")]
    assert said[0] == said[1]


def test_what_quantized_bases_cannot_do_is_said(kept, tmp_path):
    engine = open_engine("mlx")
    for more, words in (
        ({"quantize": "8bit"}, "kept in 4 bit already, and is used as it is"),
        ({"method": "full"}, "a quantized base cannot be trained in full"),
    ):
        with pytest.raises(EngineError, match=words):
            train(engine, kept(4), tmp_path / "run", **more)
    assert not (tmp_path / "run").exists()
