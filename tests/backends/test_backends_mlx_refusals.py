"""What mlx cannot do is refused by name, before a file of weights is opened."""

import json
import shutil

import pytest

pytest.importorskip("mlx_lm")

from mlx_trainings import ASKED, job, settings

from poetune.backends.table import open_engine
from poetune.errors import EngineError
from poetune.ports import Request, Weights
from poetune.records import Sampling


@pytest.fixture
def unreadable(mini_mlx, tmp_path):
    """A base whose weights cannot be opened."""
    base = tmp_path / "base"
    shutil.copytree(mini_mlx(), base)
    (base / "model.safetensors").write_bytes(b"no weights")
    return base


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"bias": "lora_only"}, r"finetune\.bias: mlx cannot train biases"),
        ({"optimizer": "adamw_8bit"}, r"finetune\.optimizer: mlx has no adamw_8bit; choose one of adafactor, adam,"),
        ({"precision": "fp16"}, r"finetune\.precision: mlx trains in bf16 or fp32"),
        ({"method": "full", "quantize": "4bit"}, "a quantized base cannot be trained in full"),
    ],
)
def test_of_a_training(unreadable, tmp_path, asked, words):
    with pytest.raises(EngineError, match=words):
        list(open_engine("mlx").train(job(str(unreadable), tmp_path / "run", settings(**asked))))
    assert not (tmp_path / "run").exists()


def test_beams_also_for_sample_poems(unreadable, tmp_path):
    asked = [Request("s", Weights(str(unreadable)), ASKED, Sampling(beams=3), 0)]
    with pytest.raises(EngineError, match="mlx cannot search with beams"):
        list(open_engine("mlx").generate(asked))
    with pytest.raises(EngineError, match="mlx cannot search with beams, not for sample poems"):
        list(open_engine("mlx").train(job(str(unreadable), tmp_path / "run", samples=asked)))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "gpt_neo"}, "Model type gpt_neo not supported.*set engine to torch"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "quantized by bitsandbytes, which mlx cannot read"),
        ({"model_file": "own.py"}, "would run code of its own"),
    ],
)
def test_of_a_base(unreadable, tmp_path, config, words):
    told = json.loads((unreadable / "config.json").read_text()) | config
    (unreadable / "config.json").write_text(json.dumps(told))
    with pytest.raises(EngineError, match=words):
        list(open_engine("mlx").train(job(str(unreadable), tmp_path / "run")))


def test_damaged_weights_are_said(unreadable, tmp_path):
    with pytest.raises(EngineError, match=r"cannot be loaded .*check that its files are complete"):
        list(open_engine("mlx").train(job(str(unreadable), tmp_path / "run")))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"modules": ["q_proj", "c_attn"]}, "'c_attn'.*q_proj"),
        ({"layers": 9}, "9 asked, but the model has 3"),
        ({"layers": [5]}, r"no layer \[5\]; its layers are 0 to 2"),
        ({"rate": 1e30, "rate_initial": 1e30, "clip": 1e30}, "no longer a number"),
    ],
)
def test_what_the_model_has_not(mini_mlx, tmp_path, asked, words):
    with pytest.raises(EngineError, match=words):
        list(open_engine("mlx").train(job(mini_mlx(), tmp_path, settings(**asked))))
