"""torch and mlx side by side: the same losses, the same logits of each other's adapters."""

from importlib.resources import files
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mlx_lm")

from mlx_trainings import ASKED, job, settings

from poetune.backends.converting import convert
from poetune.backends.table import open_engine
from poetune.ports import ScoreRequest, TrainJob, Weights
from poetune.recipe import Training
from poetune.records import Example

pytestmark = pytest.mark.torch
STARTER = str(Path(str(files("poetune"))) / "starter" / "base")


@pytest.fixture(scope="module")
def engines():
    return {name: open_engine(name, device="cpu") for name in ("torch", "mlx")}


def held(events):
    return [e.validation_loss for e in events if e.kind == "validation"]


def test_the_same_recipe_gives_the_same_losses_on_the_starter(engines, tmp_path):
    """Only the drawn start of each LoRA's A differs between the engines, as torch and mlx draw other numbers."""
    lines = ["rain on the slate roof", "the lamp is low tonight", "a river keeps its hours", "no one asks it to stay"]
    rows = [Example(ASKED, f"{a},\n{b}.", "train") for a in lines for b in lines if a != b]
    rows.append(Example(ASKED, "the lamp is low,\nthe river is near.", "validation"))
    asked = Training(layers=2, rank=8, rate=3e-3, steps=10, batch=4, warmup=2, dropout=0, validate_every=5)
    losses = {}
    for name, engine in engines.items():
        made = TrainJob(Weights(STARTER), rows, asked, 7, tmp_path / name, tmp_path / "cache")
        losses[name] = held(engine.train(made))
    assert losses["mlx"] == pytest.approx(losses["torch"], rel=0.01)
    assert losses["mlx"][0] == pytest.approx(losses["torch"][0], rel=1e-4)
    assert losses["torch"][-1] < 0.9 * losses["torch"][0]


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_whole_models_train_alike_to_the_last_digits(engines, mini_mlx, tmp_path, optimizer):
    asked = settings(method="full", optimizer=optimizer, steps=6, rate=5e-3, dropout=0, accumulation=2, batch=2)
    a, b = (held(engine.train(job(mini_mlx(), tmp_path / name, asked))) for name, engine in engines.items())
    assert a == pytest.approx(b, rel=1e-4)
    assert a[-1] < a[0]


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3", "gpt2"])
@pytest.mark.parametrize("method", ["lora", "rslora", "dora"])
def test_either_engines_adapter_gives_the_others_logits(engines, mini_mlx, tmp_path, architecture, method):
    """Converted, and as it lies."""
    base = mini_mlx(architecture)
    asked = settings(architecture, method=method, steps=4, rate=0.03, layers=2, rank=4, dropout=0.1)
    for made, other, wanted in (("torch", "mlx", "mlx"), ("mlx", "torch", "peft")):
        list(engines[made].train(job(base, tmp_path / made, asked)))
        checkpoint = tmp_path / made / "checkpoint-000004"
        converted = tmp_path / f"{made}-{wanted}"
        converted.mkdir()
        convert(checkpoint, wanted, converted)
        own = logits(engines[made], base, checkpoint)
        for folder in (converted, checkpoint):
            others = logits(engines[other], base, folder)
            assert max(abs(x - y) for x, y in zip(own, others, strict=True)) < 1e-3
        bare = logits(engines[made], base, "")
        assert max(abs(x - y) for x, y in zip(own, bare, strict=True)) > 0.05


def logits(engine, base, adapter):
    """Log-probabilities of single tokens after one prompt: logits up to a constant."""
    words = "the rain sang all night roof lamp gutter".split()  # noqa: SIM905
    asked = [ScoreRequest(Weights(base, str(adapter) if adapter else ""), word, ASKED) for word in words]
    return [score.log_likelihood for score in engine.score(asked)]


def test_a_model_merged_on_mlx_is_one_for_torch(engines, mini_mlx, tmp_path):
    base = mini_mlx("gpt2")
    list(engines["mlx"].train(job(base, tmp_path / "run", settings("gpt2", steps=3, rate=0.05, method="dora"))))
    engines["mlx"].merge(Weights(base, str(tmp_path / "run" / "checkpoint-000003")), tmp_path / "merged")
    one = ScoreRequest(Weights(str(tmp_path / "merged")), "The rain sang.", ASKED)
    a, b = (engine.score([one])[0].log_likelihood for engine in engines.values())
    assert a == pytest.approx(b, abs=1e-3)
