"""bf16 and fp16 on the CPU: close to fp32, resumed exactly, a skipped step said once."""

import pytest

torch = pytest.importorskip("torch")

from trainings import ADAPTED, TWO, course, job, learner  # noqa: E402

from poetune.backends.table import open_engine  # noqa: E402
from poetune.backends.torch.precision import precision_of  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.ports import ScoreRequest, Weights  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402

pytestmark = pytest.mark.torch


def settings(architecture, **more):
    return Finetune(**{"steps": 4, "batch": 4, "rate": 0.02, "warmup": 1, "checkpoint_every": 2, "dropout": 0.1,
                       "report_every": 1, "modules": ADAPTED[architecture], **more})  # fmt: skip


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("architecture", TWO)
@pytest.mark.parametrize("method", ["lora", "full"])
def test_narrow_numbers_train_as_fp32_does_and_resume_exactly(mini, tmp_path, architecture, precision, method):
    engine = open_engine("torch", device="cpu")
    asked = settings(architecture, precision=precision, method=method)
    plain = course(
        engine.train(
            job(mini(architecture), tmp_path / "fp32", settings(architecture, precision="fp32", method=method))
        )
    )
    whole = list(engine.train(job(mini(architecture), tmp_path / "whole", asked)))
    skipped = min((e.step for e in whole if "skipped" in e.text), default=9)
    for one, other in zip(plain, course(whole), strict=True):
        assert one[:2] == other[:2]
        if one[1] <= skipped:
            assert (one[2] or one[3]) == pytest.approx(other[2] or other[3], rel=0.05)
    assert whole[-2].validation_loss < 0.98 * next(e for e in whole if e.kind == "validation").validation_loss
    assert plain != course(whole)
    for event in engine.train(job(mini(architecture), tmp_path / "broken", asked)):
        if event.kind == "checkpoint":
            break
    again = list(engine.train(job(mini(architecture), tmp_path / "broken", asked)))
    assert course(again)[-3:] == course(whole)[-3:]
    from safetensors.torch import load_file

    file = "model.safetensors" if method == "full" else "adapter_model.safetensors"
    saved = load_file(tmp_path / "whole" / "checkpoint-000004" / file)
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}


def test_after_a_narrow_training_the_engine_writes_as_a_fresh_one(mini, tmp_path):
    engine = open_engine("torch", device="cpu")
    list(engine.train(job(mini(), tmp_path, settings("llama", precision="bf16"))))
    asked = [ScoreRequest(Weights(mini(), adapter), "rain") for adapter in ("", str(tmp_path / "checkpoint-000004"))]
    assert engine.score(asked) == open_engine("torch", device="cpu").score(asked)


@pytest.mark.parametrize("architecture", TWO)
def test_an_overflowing_step_is_skipped_and_said_once(mini, architecture):
    mind = learner(mini(architecture), settings(architecture, precision="fp16"))
    mind.scaler.load_state_dict({**mind.scaler.state_dict(), "scale": 2.0**40})
    weights = [p.detach().clone() for p in mind.parameters]
    first, second = mind.step(1, 0.01), mind.step(2, 0.01)
    assert first.gradient_norm == second.gradient_norm == 0
    assert all(torch.equal(a, b) for a, b in zip(weights, mind.parameters, strict=True))
    assert [len(each.notes) for each in (first, second)] == [1, 0]
    assert "overflowed at step 1" in first.notes[0]
    assert mind.scaler.get_scale() == 2.0**38
    mind.scaler.load_state_dict({**mind.scaler.state_dict(), "scale": 8.0})
    taken = mind.step(3, 0.01)
    assert taken.gradient_norm > 0
    assert not all(torch.equal(a, b) for a, b in zip(weights, mind.parameters, strict=True))


def test_auto_is_fp32_without_a_gpu_and_full_training_keeps_fp32_weights():
    cpu = torch.device("cpu")
    assert precision_of(Finetune(), cpu).compute is None
    assert precision_of(Finetune(precision="bf16"), cpu).stored == torch.bfloat16
    assert precision_of(Finetune(precision="bf16", method="full"), cpu).stored == torch.float32
    with pytest.raises(EngineError, match="fp16 cannot be trained"):
        precision_of(Finetune(precision="fp16"), torch.device("mps"))
