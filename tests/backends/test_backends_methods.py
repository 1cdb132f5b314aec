"""LoRA's kin and trained biases: what peft alone reads, what merging gives, and what is left on the base."""

import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from trainings import ADAPTED, ASKED, TWO, job, learner, poems  # noqa: E402

from poetune.backends import bases  # noqa: E402
from poetune.backends.rows import build_rows  # noqa: E402
from poetune.backends.table import open_engine  # noqa: E402
from poetune.backends.torch import loading  # noqa: E402
from poetune.backends.torch.adapters import attach, lora_config, take_off  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.ports import ScoreRequest, Weights  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402
from poetune.records import Example  # noqa: E402

pytestmark = pytest.mark.torch
WAYS = {
    "lora": {"scale": 2.5},
    "rslora": {"method": "rslora", "alpha": 3.0},
    "dora": {"method": "dora", "dropout": 0.2},
    "lora biases": {"bias": "lora_only"},
    "all biases": {"bias": "all", "layers": 1},
    "named layers": {"layers": [0, 2], "modules": ["all-linear"]},
}


def trained(base, folder, architecture, **how):
    small = {"steps": 4, "rank": 4, "rate": 0.05, "warmup": 0, "batch": 4, "modules": ADAPTED[architecture]}
    engine = open_engine("torch", device="cpu")
    list(engine.train(job(base, folder, Finetune(**{**small, **how}))))
    return engine, folder / "checkpoint-000004"


def by_peft(base, folder, row):
    """Log-probabilities (positions, vocabulary) by transformers and peft alone."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_pretrained(base)
        model = PeftModel.from_pretrained(model, folder).eval() if folder is not None else model.eval()
    with torch.inference_mode():
        return model(torch.tensor([row.ids])).logits.log_softmax(-1)[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("architecture", TWO)
def test_a_checkpoint_is_the_same_in_plain_peft_and_merged(mini, architecture, way, tmp_path):
    base = mini(architecture)
    untouched = open_engine("torch", device="cpu").score([ScoreRequest(Weights(base), poems()[0], ASKED)])
    engine, folder = trained(base, tmp_path, architecture, **WAYS[way])
    row = build_rows(bases.open_renderer(folder), [Example(ASKED, poems()[0], "train")], 512).rows[0]
    alone = by_peft(base, folder, row)
    own = sum(float(alone[i - 1, row.ids[i]]) for i in range(row.first, len(row.ids)))
    assert abs(own - untouched[0].log_likelihood) > 0.5  # it learned at all
    score = engine.score([ScoreRequest(Weights(base, str(folder)), poems()[0], ASKED)])[0]
    assert score.log_likelihood == pytest.approx(own, rel=1e-5)
    assert engine.score([ScoreRequest(Weights(base), poems()[0], ASKED)]) == untouched
    engine.merge(Weights(base, str(folder)), tmp_path / "merged")
    assert torch.allclose(by_peft(tmp_path / "merged", None, row), alone, atol=1e-4)


def test_peft_scales_as_the_recipe_says(mini):
    for architecture in TWO:
        model = loading.load(Path(mini(architecture)), torch.device("cpu")).model
        for settings in (Finetune(scale=20.0), Finetune(alpha=16, rank=9), Finetune(method="rslora", alpha=16, rank=9)):
            settings = settings.model_copy(update={"modules": ADAPTED[architecture]})
            worn = attach(model, lora_config(model, settings, "base"))
            layers = [m for m in worn.modules() if hasattr(m, "lora_A")]
            assert [m.scaling["default"] for m in layers] == pytest.approx([settings.scaling] * len(layers))
            assert layers
            take_off(worn)
    assert Finetune(method="rslora", alpha=16, rank=9).scaling == pytest.approx(16 / 3)


@pytest.mark.parametrize(("architecture", "bias"), [("gpt2", "lora_only"), ("qwen2", "lora_only"), ("gpt2", "all")])
def test_trained_biases_go_with_the_adapter_and_not_with_the_base(mini, architecture, bias, tmp_path):
    from safetensors.torch import load_file

    base = mini(architecture)
    engine, folder = trained(base, tmp_path, architecture, bias=bias, layers=1, keep=0, checkpoint_every=2)
    names = [name for name in load_file(folder / "adapter_model.safetensors") if name.endswith(".bias")]
    assert names
    assert bias == "all" or all("base_layer" in name and ".2." in name for name in names)
    before = open_engine("torch", device="cpu").score([ScoreRequest(Weights(base), "rain", ASKED)])
    assert engine.score([ScoreRequest(Weights(base), "rain", ASKED)]) == before  # the engine that trained has it back
    for step in (2, 4):
        engine.score([ScoreRequest(Weights(base, str(tmp_path / f"checkpoint-00000{step}")), "rain", ASKED)])
    assert engine.score([ScoreRequest(Weights(base), "rain", ASKED)]) == before
    events = list(engine.train(job(base, tmp_path / "on", Finetune(steps=1, rank=2), adapter=str(folder))))
    scored = engine.score([ScoreRequest(Weights(base, str(folder)), "The gutter sang.", ASKED)])[0]
    first = next(e for e in events if e.kind == "validation")
    assert first.validation_loss == pytest.approx(-scored.log_likelihood / scored.tokens, rel=1e-5)
    assert engine.score([ScoreRequest(Weights(base), "rain", ASKED)]) == before


def test_layers_are_the_last_ones_or_those_named(mini):
    model = loading.load(Path(mini("gpt2")), torch.device("cpu")).model
    for layers, expected in ((0, None), (2, [1, 2]), ([0, 2], [0, 2])):
        config = lora_config(model, Finetune(layers=layers, modules=["all-linear"]), "base")
        assert config.layers_to_transform == expected
        assert set(config.target_modules) == {"c_attn", "c_proj", "c_fc"}
    for wrong in (9, [0, 3], []):
        with pytest.raises(EngineError, match=r"finetune.layers: .*(9|0 to 2)"):
            lora_config(model, Finetune(layers=wrong, modules=["all-linear"]), "base")


@pytest.mark.parametrize("architecture", TWO)
def test_dora_drops_out_during_a_step_only(mini, architecture):
    settings = Finetune(method="dora", dropout=0.5, modules=ADAPTED[architecture], rank=4)
    dropped, whole = learner(mini(architecture), settings), learner(mini(architecture), settings)
    whole._noisy = []
    for mind in (dropped, whole):  # the second, as B is 0 at the start and nothing reaches it
        mind.step(1, 0.05)
    first, second = (mind.step(2, 0.05).nats for mind in (dropped, whole))
    assert first != second
    assert dropped.validate() == dropped.validate()
