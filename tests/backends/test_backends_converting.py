"""Adapters from peft's format into mlx-lm's and back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.backends import tensorfiles
from poetune.backends.converting import convert, format_of
from poetune.backends.tensorfiles import Tensor
from poetune.errors import EngineError

KINDS = {"F32": np.uint32, "BF16": np.uint16}
WORDS = st.sampled_from(sorted(KINDS))


def peft(folder, kind="F32", rank=2, at="model.layers.3.self_attn.q_proj", **more):
    folder.mkdir()
    drawn = np.random.default_rng(0)
    shapes = {"lora_A.weight": (rank, 5), "lora_B.weight": (7, rank)}
    if more.get("use_dora"):
        shapes["lora_magnitude_vector"] = (7,)
    made = {
        f"base_model.model.{at}.{name}": Tensor(kind, drawn.integers(0, 2**15, shape).astype(KINDS[kind]))
        for name, shape in shapes.items()
    }
    tensorfiles.write(made, folder / "adapter_model.safetensors")
    config = {"r": rank, "lora_alpha": 8.0, "lora_dropout": 0.1, "target_modules": ["q_proj"], **more}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return made


@given(kind=WORDS, rank=st.integers(1, 4), dora=st.booleans(), gpt2=st.booleans())
def test_there_and_back_every_bit_is_the_same(tmp_path_factory, kind, rank, dora, gpt2):
    top = tmp_path_factory.mktemp("adapter")
    at = "transformer.h.3.attn.c_attn" if gpt2 else "model.layers.3.self_attn.q_proj"
    made = peft(top / "peft", kind, rank, at, use_dora=dora)
    for name in ("mlx", "back"):
        (top / name).mkdir()
    convert(top / "peft", "mlx", top / "mlx")
    convert(top / "mlx", "peft", top / "back", "Qwen/Q")
    assert [format_of(top / name) for name in ("peft", "mlx", "back")] == ["peft", "mlx", "peft"]
    theirs = tensorfiles.read(top / "mlx" / "adapters.safetensors")
    ours = at.replace("transformer.h", "model.h")
    assert theirs[f"{ours}.lora_a"].bits.shape == (5, rank)
    again = tensorfiles.read(top / "back" / "adapter_model.safetensors")
    assert again.keys() == made.keys()
    assert all(np.array_equal(again[n].bits, made[n].bits) and again[n].kind == kind for n in made)
    config = json.loads((top / "back" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["use_dora"]) == (rank, 8.0, dora)
    assert (config["base_model_name_or_path"], config["fan_in_fan_out"]) == ("Qwen/Q", gpt2)
    assert config["target_modules"] == [at]


@pytest.mark.parametrize(("rooted", "scale"), [(False, 2.0), (True, 4.0)])
def test_scale_is_alpha_over_rank_or_over_its_root(tmp_path, rooted, scale):
    peft(tmp_path / "peft", rank=4, use_rslora=rooted)
    (tmp_path / "mlx").mkdir()
    convert(tmp_path / "peft", "mlx", tmp_path / "mlx")
    told = json.loads((tmp_path / "mlx" / "adapter_config.json").read_text())
    assert told["lora_parameters"]["scale"] == scale


def test_a_step_file_of_mlx_lm_is_an_adapter(tmp_path):
    made = {f"model.layers.0.mlp.up_proj.lora_{k}": Tensor("F32", np.ones((2, 2), np.uint32)) for k in "ab"}
    tensorfiles.write(made, tmp_path / "0000300_adapters.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"lora_parameters": {"rank": 2, "scale": 5.0}}))
    (tmp_path / "out").mkdir()
    convert(tmp_path / "0000300_adapters.safetensors", "peft", tmp_path / "out")
    assert json.loads((tmp_path / "out" / "adapter_config.json").read_text())["lora_alpha"] == 10.0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "adapter_model.safetensors").write_bytes(b"12345678{"), "cannot be read as safetensors"),
        (lambda f: (f / "adapter_config.json").unlink(), "the adapter_config.json beside it is missing"),
        (
            lambda f: (f / "adapter_config.json").write_text('{"r": 2, "lora_alpha": 1, "bias": "all"}'),
            "trained biases",
        ),
        (lambda f: (f / "adapter_config.json").write_text('{"r": 2, "rank_pattern": {"q": 4}}'), "several ranks"),
        (lambda f: (f / "adapter_model.safetensors").unlink(), "holds no adapter"),
    ],
)
def test_what_cannot_be_converted_is_said(tmp_path, spoil, words):
    peft(tmp_path / "peft")
    spoil(tmp_path / "peft")
    (tmp_path / "out").mkdir()
    with pytest.raises(EngineError, match=words):
        convert(tmp_path / "peft", "mlx", tmp_path / "out")
