"""Every optimizer of the recipe: it learns, and resumes to the same bits."""

import math
from typing import get_args

import pytest

torch = pytest.importorskip("torch")

from trainings import TWO, course, job, learner  # noqa: E402

from poetune.backends.table import open_engine  # noqa: E402
from poetune.backends.torch.optimizers import open_optimizer  # noqa: E402
from poetune.recipe import Finetune, Training  # noqa: E402

pytestmark = pytest.mark.torch
KINDS = get_args(Training.model_fields["optimizer"].annotation)
RATES = {"sgd": 2.0, "adafactor": 0.2}


def settings(kind, **more):
    if kind == "adamw_8bit":
        pytest.importorskip("bitsandbytes")
        more = {"rank": 128, **more}  # 4096 values and more are kept in 8 bit
    return Finetune(
        optimizer=kind, **{"steps": 6, "batch": 4, "rate": RATES.get(kind, 0.02), "warmup": 1, "checkpoint_every": 3,
                           "validate_every": 3, "report_every": 1, "modules": ["all-linear"], "layers": 1, **more}
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("architecture", TWO)
def test_it_learns_and_resumes_bit_for_bit(mini, tmp_path, kind, architecture):
    engine = open_engine("torch", device="cpu")
    asked = settings(kind)
    whole = list(engine.train(job(mini(architecture), tmp_path / "whole", asked)))
    for event in engine.train(job(mini(architecture), tmp_path / "broken", asked)):
        if event.kind == "checkpoint":
            break
    again = list(engine.train(job(mini(architecture), tmp_path / "broken", asked)))
    assert again[0].step == 3
    assert course(whole)[-3:] == course(again)[-3:]
    ends = [tmp_path / each / "checkpoint-000006" / "adapter_model.safetensors" for each in ("whole", "broken")]
    assert ends[0].read_bytes() == ends[1].read_bytes()
    held = [e.validation_loss for e in whole if e.kind == "validation"]
    assert held[-1] < held[0]


def test_eight_bit_states_are_eight_bit(mini):
    mind = learner(mini(), settings("adamw_8bit"))
    mind.step(1, 0.01)
    assert torch.uint8 in {state["state1"].dtype for state in mind.optimizer.state.values()}


@pytest.mark.parametrize("kind", KINDS)
def test_decay_shrinks_matrices_where_the_kind_has_it_and_never_biases(kind):
    if kind == "adamw_8bit":
        pytest.importorskip("bitsandbytes")
    named = [(name, torch.nn.Parameter(torch.ones(*shape))) for name, shape in (("w", (8, 8)), ("b", (8,)))]
    optimizer = open_optimizer(Finetune(optimizer=kind, rate=0.1, weight_decay=0.5), named, torch.device("cpu"))
    for _, parameter in named:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    weight, bias = (float(p.detach().mean()) for _, p in named)
    assert bias == 1
    assert weight == (1 if kind == "adam" else pytest.approx(0.95))


@pytest.mark.parametrize("architecture", TWO)
def test_clip_limits_the_step_and_0_does_not_and_both_tell_the_norm(mini, architecture, tmp_path):
    asked = {"optimizer": "sgd", "weight_decay": 0, "modules": ["all-linear"], "dropout": 0}
    moved, norms = [], []
    for clip in (0, 1e-3):
        mind = learner(mini(architecture), Finetune(**asked, clip=clip))
        before = [p.detach().clone() for p in mind.parameters]
        norms.append(mind.step(1, 1.0).gradient_norm)
        after = [p.detach() for p in mind.parameters]
        moved.append(math.sqrt(sum(float((a - b).square().sum()) for a, b in zip(after, before, strict=True))))
    assert norms[0] == norms[1] > 0.1
    assert moved == [pytest.approx(norms[0], rel=1e-3), pytest.approx(1e-3, rel=1e-3)]
    events = list(
        open_engine("torch", device="cpu").train(job(mini(architecture), tmp_path, settings("adamw", report_every=2)))
    )
    told = [e.gradient_norm for e in events if e.kind == "train"]
    each = learner(mini(architecture), settings("adamw"))
    assert len(told) == 3
    assert all(norm > 0 for norm in told)
    assert each.step(1, 1e-3).gradient_norm > 0


def test_adam_says_that_it_has_no_decay(mini):
    assert any(
        "no weight decay" in text for text in learner(mini(), Finetune(optimizer="adam", weight_decay=0.1)).notes
    )
    assert not any("no weight decay" in text for text in learner(mini(), Finetune(optimizer="adam")).notes)
