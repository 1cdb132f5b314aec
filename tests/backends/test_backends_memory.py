"""Out of memory: fewer rows at a time, the same step."""

import pytest

torch = pytest.importorskip("torch")

from trainings import ADAPTED, TWO, learner  # noqa: E402

from poetune.backends.torch.forward import WholeModel  # noqa: E402
from poetune.backends.torch.memory import is_out_of_memory  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402

pytestmark = pytest.mark.torch
CUDA = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"
)


def small(rows, error):
    """A forward that has room for so many rows."""

    class Small(WholeModel):
        def __init__(self, base):
            super().__init__(base)
            self.tried = []

        def nats(self, some):
            self.tried.append(len(some))
            if len(some) > rows:
                raise error
            return super().nats(some)

    return Small


def gradient(mind):
    return torch.cat([mind.optimizer.state[p]["exp_avg"].flatten() for p in mind.parameters])


@pytest.mark.parametrize("error", [CUDA, CPU])
@pytest.mark.parametrize("architecture", TWO)
def test_the_same_step_is_done_on_fewer_rows_at_a_time(mini, monkeypatch, architecture, error):
    monkeypatch.setattr("poetune.backends.torch.forward._CALL_TOKENS", {})  # as many rows a call as the batch allows
    settings = Finetune(batch=8, dropout=0, modules=ADAPTED[architecture], clip=0)
    whole = learner(mini(architecture), settings)
    tight = learner(mini(architecture), settings, small(3, error))
    losses = [(whole.step(i, 0.01), tight.step(i, 0.01)) for i in (1, 2)]
    for one, other in losses:
        assert one.nats == pytest.approx(other.nats, rel=1e-5)
        assert (one.supervised, one.read) == (other.supervised, other.read)
        assert one.gradient_norm == pytest.approx(other.gradient_norm, rel=1e-4)
    assert torch.allclose(gradient(whole), gradient(tight), atol=1e-6)
    assert tight.most == 2
    assert ["8 rows" in text or "4 rows" in text for text in losses[0][1].notes] == [True, True]
    assert losses[1][1].notes == ()
    assert tight.validate() == pytest.approx(whole.validate(), rel=1e-5)


def test_what_memory_allowed_is_resumed(mini, tmp_path):
    settings = Finetune(batch=8, dropout=0)
    mind, again = (learner(mini(), settings, small(2, CPU)) for _ in range(2))
    mind.validate()  # validation finds out, too
    assert mind.most == 2
    assert len(mind.step(1, 0.01).notes) == 2
    mind.save(tmp_path)
    mind.save_resume(tmp_path)
    again.resume(tmp_path, tmp_path)
    assert (again.most, again.step(2, 0.01)) == (2, mind.step(2, 0.01))


def test_a_single_row_that_does_not_fit_is_an_error_and_others_pass(mini):
    with pytest.raises(EngineError, match=r"tokens alone does not fit into memory; make finetune\.longest"):
        learner(mini(), Finetune(), small(0, CUDA)).step(1, 0.01)
    with pytest.raises(RuntimeError, match="shapes"):
        learner(mini(), Finetune(), small(0, RuntimeError("shapes differ"))).step(1, 0.01)


def test_an_optimizer_or_a_base_that_does_not_fit_is_said(mini, monkeypatch):
    def full(*_, **__):
        raise CUDA

    mind = learner(mini(), Finetune())
    monkeypatch.setattr(mind.optimizer, "step", full)
    with pytest.raises(EngineError, match="state of adamw does not fit into memory; take adamw_8bit"):
        mind.step(1, 0.01)
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", full)
    with pytest.raises(EngineError, match=r"does not fit into memory; train with finetune\.quantize 4bit"):
        learner(mini(), Finetune())


def test_what_the_allocators_say():
    assert all(map(is_out_of_memory, (CUDA, CPU, MemoryError(), RuntimeError("MPS backend out of memory"))))
    assert not is_out_of_memory(RuntimeError("shapes differ"))
    assert not is_out_of_memory(ValueError("out of memory"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.float64)
    assert is_out_of_memory(caught.value)
