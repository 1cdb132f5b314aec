"""Adapters blended by weight: the sum that was asked for, through peft and by hand; what cannot be blended is said."""

import json

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402
from trainings import ADAPTED, ASKED, job, poems  # noqa: E402

from poetune.backends.table import open_engine  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.ports import BLENDS, Mix, ScoreRequest, Weights  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402

pytestmark = pytest.mark.torch


def trained(base, folder, seed, architecture="llama", **how):
    small = {"steps": 3, "rank": 3, "rate": 0.05, "warmup": 0, "batch": 4, "modules": ADAPTED[architecture]}
    made = job(base, folder, Finetune(**{**small, "rate": 0.02 * (seed + 1), **how}))
    engine = open_engine("torch", device="cpu")
    list(engine.train(made))
    return engine, Weights(base, str(folder / "checkpoint-000003"))


def deltas(folder):
    """What an adapter adds to each module: alpha / rank x B A (rsLoRA: over the root of the rank)."""
    config = json.loads((folder / "adapter_config.json").read_text())
    scale = config["lora_alpha"] / (config["r"] ** 0.5 if config["use_rslora"] else config["r"])
    tensors = load_file(folder / "adapter_model.safetensors")
    firsts = [name for name in tensors if ".lora_A." in name]
    return {n: scale * tensors[n.replace(".lora_A.", ".lora_B.")] @ tensors[n] for n in firsts}


def path(weights):
    from pathlib import Path

    return Path(weights.adapter)


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_cat_and_a_full_svd_are_the_weighted_sum_of_any_ranks(mini, tmp_path, architecture):
    base = mini(architecture)
    engine, one = trained(base, tmp_path / "a", 1, architecture)
    _, other = trained(base, tmp_path / "b", 2, architecture, rank=5, method="rslora", layers=2)
    a, b = deltas(path(one)), deltas(path(other))
    for method, rank in (("cat", 0), ("svd", 8)):
        out = tmp_path / method
        engine.blend(Mix((one, other), (0.7, -0.4), method, rank), out)
        made = deltas(out)
        assert made.keys() == a.keys() | b.keys()
        for name, delta in made.items():
            wanted = 0.7 * a.get(name, 0) - 0.4 * b.get(name, 0)
            torch.testing.assert_close(delta, wanted, atol=1e-5, rtol=1e-4)
    ask = [ScoreRequest(Weights(base, str(tmp_path / m)), poems()[0], ASKED) for m in ("cat", "svd")]
    exact, near = engine.score(ask)
    assert exact.log_likelihood == pytest.approx(near.log_likelihood, abs=1e-3)


@pytest.mark.parametrize("method", BLENDS)
def test_the_whole_share_is_the_adapter_itself_and_every_way_runs(mini, tmp_path, method):
    engine, one = trained(mini(), tmp_path / "a", 1)
    _, other = trained(mini(), tmp_path / "b", 2)
    whole = 1.0 if method.startswith("dare") else 0.5
    engine.blend(Mix((one, other), (1.0, 0.0), method, density=1.0), tmp_path / "whole")
    if method not in (
        "ties",
        "ties_svd",
        "dare_ties",
        "dare_ties_svd",
    ):  # TIES lets the other's sign vote at weight 0 too
        for name, delta in deltas(tmp_path / "whole").items():
            torch.testing.assert_close(delta, deltas(path(one))[name], atol=1e-5, rtol=1e-3)
    for out in ("x", "y"):
        engine.blend(Mix((one, other), (0.5, 0.5), method, density=whole / 2, seed=3), tmp_path / out)
    assert all(torch.equal(d, deltas(tmp_path / "y")[n]) for n, d in deltas(tmp_path / "x").items())


def test_what_cannot_be_blended_is_said(mini, tmp_path):
    engine, one = trained(mini(), tmp_path / "a", 1)
    _, taller = trained(mini(), tmp_path / "b", 2, rank=5)
    _, dora = trained(mini(), tmp_path / "c", 2, method="dora")
    _, foreign = trained(mini(seed=5), tmp_path / "d", 2)
    cases = [
        (taller, "linear", "blend by cat or svd"),
        (dora, "cat", "only plain LoRA"),
        (foreign, "cat", "another base"),
    ]
    for other, method, words in cases:
        with pytest.raises(EngineError, match=words):
            engine.blend(Mix((one, other), (0.5, 0.5), method), tmp_path / "out")
        assert not (tmp_path / "out").exists()
