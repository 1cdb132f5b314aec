import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import EngineError
from poetune.finetune import foreign_checkpoints, inherited, plan_job
from poetune.recipe import Finetune
from poetune.records import Conversation, Example


def rows(train, held=1):
    return [Example(Conversation(), str(i), "train" if i < train else "validation") for i in range(train + held)]


@given(st.integers(1, 200), st.integers(1, 9), st.integers(1, 4), st.floats(0.1, 9))
def test_epochs_become_steps(count, batch, accumulation, epochs):
    found = plan_job(Finetune(epochs=epochs, batch=batch, accumulation=accumulation), rows(count)).settings
    per_epoch = -(-count // (batch * accumulation))
    assert 0 <= found.steps / per_epoch - epochs + 1e-9 < 1 / per_epoch + 2e-9
    assert (found.epochs, found.total(count)) == (0, found.steps)


def test_what_follows_and_what_is_inherited_is_said():
    plan = plan_job(Finetune(steps=10, warmup=20, scale=10, rank=4), rows(5, 0))
    assert [note.split(" = ")[0].split(":")[0] for note in plan.notes] == ["alpha", "warm-up", "no validation examples"]
    assert plan_job(Finetune(steps=7), rows(3)).settings.steps == 7
    said = inherited(Finetune(steps=10))
    assert "rank = 8" in said
    assert not [line for line in said if line.startswith("steps")]
    with pytest.raises(EngineError, match="no training example"):
        plan_job(Finetune(), rows(0))


def test_foreign_adapters_are_found_by_their_names(tmp_path):
    for name in (
        "0000300_adapters.safetensors",
        "0000050_adapters.safetensors",
        "adapters.safetensors",
        "x_adapters.safetensors",
    ):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(EngineError, match=r"adapter_config\.json"):
        foreign_checkpoints(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    assert [(step, path.name) for step, path in foreign_checkpoints(tmp_path)] == [
        (50, "0000050_adapters.safetensors"), (300, "0000300_adapters.safetensors"),
    ]  # fmt: skip
    (tmp_path / "300_adapters.safetensors").write_bytes(b"")
    with pytest.raises(EngineError, match="300 is there twice"):
        foreign_checkpoints(tmp_path)
    with pytest.raises(EngineError, match="holds no file"):
        foreign_checkpoints(tmp_path / "nowhere")
