"""A frozen base in 8 or 4 bit, on the CPU; its adapter then works on the whole base."""

import json
import shutil
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")

import miniatures  # noqa: E402
from trainings import ADAPTED, ASKED, TWO, course, job, poems  # noqa: E402

from poetune.backends.table import open_engine  # noqa: E402
from poetune.backends.torch.precision import precision_of  # noqa: E402
from poetune.backends.torch.quantized import load_quantized  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.ports import ScoreRequest, Weights  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Bases of 64 hidden dimensions, a block of nf4."""
    made = {name: str(miniatures.base(tmp_path_factory.mktemp(name), name, size=64)) for name in TWO}
    return made.__getitem__


def settings(architecture, kind, **more):
    return Finetune(**{"quantize": kind, "steps": 6, "batch": 4, "rate": 0.02, "warmup": 1, "checkpoint_every": 3,
                       "report_every": 2, "modules": ADAPTED[architecture], **more})  # fmt: skip


@pytest.mark.parametrize("kind", ["8bit", "4bit"])
@pytest.mark.parametrize("architecture", TWO)
def test_it_trains_resumes_and_serves_the_whole_base(wide, tmp_path, architecture, kind):
    base, engine = wide(architecture), open_engine("torch", device="cpu")
    asked = settings(architecture, kind)
    whole = list(engine.train(job(base, tmp_path / "whole", asked)))
    for event in engine.train(job(base, tmp_path / "broken", asked)):
        if event.kind == "checkpoint":
            break
    again = list(engine.train(job(base, tmp_path / "broken", asked)))
    assert course(again)[-2:] == course(whole)[-2:]
    plain = list(engine.train(job(base, tmp_path / "plain", settings(architecture, "no"))))
    for one, other in zip(course(plain), course(whole), strict=True):
        assert (one[2] or one[3]) == pytest.approx(other[2] or other[3], rel=0.2 if kind == "4bit" else 0.05)
    assert course(plain) != course(whole)
    trained = Weights(base, str(tmp_path / "whole" / "checkpoint-000006"))
    before, after = (engine.score([ScoreRequest(w, poems()[0], ASKED)])[0] for w in (Weights(base), trained))
    assert after.log_likelihood > before.log_likelihood
    assert open_engine("torch", device="cpu").score([ScoreRequest(Weights(base), poems()[0], ASKED)])[0] == before
    engine.merge(trained, tmp_path / "merged")
    merged = engine.score([ScoreRequest(Weights(str(tmp_path / "merged")), poems()[0], ASKED)])[0]
    assert merged.log_likelihood == pytest.approx(after.log_likelihood, rel=1e-5)


def test_the_weights_are_as_small_as_asked(wide):
    precision = precision_of(Finetune(), torch.device("cpu"))
    for architecture in TWO:
        for kind, values in (("8bit", 64 * 64), ("4bit", 64 * 64 // 2)):
            model = load_quantized(wide(architecture), kind, precision)
            layer = model.get_submodule("model.layers.0.self_attn.o_proj" if architecture == "llama" else
                                        "transformer.h.0.attn.c_proj")  # fmt: skip
            assert layer.weight.numel() == values
            assert layer.weight.element_size() == 1
            assert not any(p.requires_grad for p in model.parameters())
            if kind == "4bit":
                assert (layer.weight.quant_state.quant_type, layer.weight.quant_state.nested) == ("nf4", True)


@pytest.mark.parametrize("method", ["dora", "rslora"])
def test_kinds_of_lora_sit_on_a_quantized_base(wide, tmp_path, method):
    events = list(
        open_engine("torch", device="cpu").train(job(wide("llama"), tmp_path, settings("llama", "4bit", method=method)))
    )
    held = [e.validation_loss for e in events if e.kind == "validation"]
    assert held[-1] < held[0]


def test_what_cannot_be_is_said(wide, tmp_path, monkeypatch):
    engine = open_engine("torch", device="cpu")
    with pytest.raises(EngineError, match="cannot be trained in full; set it to no"):
        list(engine.train(job(wide("llama"), tmp_path, settings("llama", "4bit", method="full"))))
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(EngineError, match="4bit needs bitsandbytes"):
        list(engine.train(job(wide("llama"), tmp_path, settings("llama", "4bit"))))
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    with pytest.raises(EngineError, match="adamw_8bit needs bitsandbytes"):
        list(engine.train(job(wide("llama"), tmp_path, settings("llama", "no", optimizer="adamw_8bit"))))


def test_merging_onto_a_base_kept_in_four_bits_dequantizes_it_first(wide, tmp_path):
    from bitsandbytes.functional import dequantize_4bit
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    kept = load_quantized(Path(wide("llama")), "4bit", precision_of(Finetune(), torch.device("cpu")))
    name = "model.layers.0.self_attn.o_proj"
    layer = kept.get_submodule(name)
    base = tmp_path / "four"
    kept.save_pretrained(base)
    for file in Path(wide("llama")).glob("*token*"):
        shutil.copy(file, base / file.name)
    engine = open_engine("torch", device="cpu")
    engine.merge(Weights(str(base)), tmp_path / "whole")
    config = json.loads((tmp_path / "whole" / "config.json").read_text("utf-8"))
    assert "quantization_config" not in config
    merged = load_file(tmp_path / "whole" / "model.safetensors")
    wanted = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
    assert torch.equal(merged[f"{name}.weight"].float(), wanted.reshape(merged[f"{name}.weight"].shape))
    assert type(AutoModelForCausalLM.from_pretrained(tmp_path / "whole").get_submodule(name)) is torch.nn.Linear
