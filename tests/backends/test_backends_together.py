"""Many checkpoints: merged one by one or side by side in one batch, a cell's poem is the same."""

import pytest

torch = pytest.importorskip("torch")

import shutil  # noqa: E402
from pathlib import Path  # noqa: E402

from trainings import job  # noqa: E402

from poetune.backends.table import open_engine  # noqa: E402
from poetune.backends.torch import adapters, loading, together  # noqa: E402
from poetune.backends.torch.bank import read_lora  # noqa: E402
from poetune.backends.torch.continuous import write_queue  # noqa: E402
from poetune.backends.torch.lower import Lower, Reading  # noqa: E402
from poetune.backends.torch.slots import Slots  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.ports import Request, Weights  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402
from poetune.records import Conversation, Message, Sampling  # noqa: E402

pytestmark = pytest.mark.torch
HOW = {"steps": 2, "batch": 4, "rate": 0.3, "warmup": 0, "checkpoint_every": 1, "report_every": 1}


UPPER = {
    "qwen2": ["q_proj", "v_proj", "down_proj"],
    "gpt2": ["c_attn", "mlp.c_proj"],
    "gpt_neo": ["q_proj", "v_proj", "c_proj"],
}


@pytest.fixture(scope="module")
def trained(mini, tmp_path_factory):
    """Adapters of one base: two on the upper layers, one on all, with more modules and another rank."""
    return adapted(mini("qwen2"), tmp_path_factory.mktemp("trained"), UPPER["qwen2"])


@pytest.fixture(scope="module", params=list(UPPER))
def families(request, mini, tmp_path_factory):
    """The same of each family."""
    if request.param == "qwen2":
        return request.getfixturevalue("trained")
    return adapted(mini(request.param), tmp_path_factory.mktemp("trained"), UPPER[request.param])


def adapted(base, folder, modules):
    engine = open_engine("torch", device="cpu")
    upper = Finetune(**HOW, layers=2, rank=2, modules=modules)
    whole = Finetune(**HOW, rank=3, method="rslora", modules=["all-linear"])
    for name, settings in (("upper", upper), ("whole", whole)):
        list(engine.train(job(base, folder / name, settings)))
    return base, [
        folder / "upper/checkpoint-000001",
        folder / "upper/checkpoint-000002",
        folder / "whole/checkpoint-000002",
    ]


def asked(base, folders, count=5):
    out = []
    for k, adapter in enumerate(["", *map(str, folders)]):
        for i in range(count):
            words = Conversation((Message("user", "rain " * (1 + i % 3)),))
            law = Sampling(temperature=1.0, repetition_penalty=1.2, max_tokens=6 + 4 * i)
            out.append(Request(f"{k}.{i}", Weights(str(base), adapter), words, law, 10 * k + i))
    return out


def poems(monkeypatch, requests, fills, batch=4):
    monkeypatch.setattr(together, "FILLS", fills)
    engine = open_engine("torch", device="cpu", batch=batch)
    return {each.id: (each.text, each.stop) for each in engine.generate(requests)}


def test_a_poem_is_the_same_in_every_way(families, monkeypatch):
    requests = asked(*families)
    alone = {}
    for request in requests:
        alone |= poems(monkeypatch, [request], 0, 1)
    assert len({text for text, _ in alone.values()}) > 15  # each checkpoint has its own voice
    assert poems(monkeypatch, requests, 0) == alone  # merged
    assert poems(monkeypatch, requests, 100) == alone  # all in one batch
    assert poems(monkeypatch, requests[::-1], 100, 7) == alone
    monkeypatch.setattr(together, "RANKS", 4)
    assert poems(monkeypatch, requests, 100) == alone  # two pools


def test_checkpoints_that_fill_batches_are_merged_and_small_ones_share(trained, monkeypatch):
    base, folders = trained
    banks = []
    plain = write_queue
    monkeypatch.setattr(together, "write_queue", lambda *how: banks.append(how) or plain(*how))
    words, law = Conversation((Message("user", "a"),)), Sampling(max_tokens=2)
    more = [Request(f"more {i}", Weights(str(base), str(folders[0])), words, law, i) for i in range(9)]
    requests = asked(base, folders, 2) + more
    assert len(poems(monkeypatch, requests, 2)) == len(requests)
    assert len(banks) == 1
    assert len(banks[0][1]) == 6  # without the first checkpoint, which has more than two batches


def test_lower_layers_read_a_prompt_once_for_all_checkpoints(families, monkeypatch):
    base, folders = families
    read = []
    plain = Slots._read
    monkeypatch.setattr(Slots, "_read", lambda self, x, begun, lengths, numbers, *rest: (
        read.append((list(numbers), len(lengths))), plain(self, x, begun, lengths, numbers, *rest)
    )[1])  # fmt: skip
    requests = [each for each in asked(base, folders[:2], 3) if each.weights.adapter]
    merged = poems(monkeypatch, requests, 0)
    lower, upper = [count for numbers, count in read if 0 in numbers], [c for numbers, c in read if 2 in numbers]
    assert (sum(lower), sum(upper)) == (3, 6)  # three prompts under two checkpoints
    read.clear()
    assert poems(monkeypatch, requests, 100, 6) == merged
    assert read == [([0], 3), ([1, 2], 6)]


def test_readings_are_kept_up_to_a_limit():
    reading = Reading((torch.zeros(2, 2, 4), torch.zeros(2, 2, 4)), torch.zeros(2, 8))
    lower = Lower(limit=3 * reading.bytes)
    for i in range(5):
        lower.keep(1, [i, i], reading)
    assert [lower.get(1, (i, i)) is not None for i in range(5)] == [True] * 3 + [False] * 2
    assert lower.get(2, (0, 0)) is None
    lower.clear()
    lower.keep(1, [9], reading)
    assert lower.get(1, (9,)) is not None


def test_what_is_no_plain_lora_is_merged(mini, trained, tmp_path, monkeypatch):
    base, folders = trained
    engine = open_engine("torch", device="cpu")
    dora = Finetune(**HOW, method="dora", modules=["q_proj"])
    list(engine.train(job(base, tmp_path / "dora", dora)))
    folder = tmp_path / "dora/checkpoint-000002"
    assert read_lora(folder) is None
    assert read_lora(folders[0]) is not None
    requests = asked(base, [folder, folders[0]], 2)
    assert poems(monkeypatch, requests, 100) == poems(monkeypatch, requests, 0)


def test_a_damaged_adapter_is_named(trained, tmp_path, monkeypatch):
    base, folders = trained
    broken = tmp_path / "broken"
    shutil.copytree(folders[0], broken)
    (broken / "adapter_model.safetensors").write_bytes(b"short")
    with pytest.raises(EngineError, match="broken"):
        poems(monkeypatch, asked(base, [broken, folders[1]], 1), 100)


def test_readings_go_with_the_last_checkpoint_and_when_the_base_is_lent(trained, tmp_path, monkeypatch):
    base, folders = trained
    engine = open_engine("torch", device="cpu")
    monkeypatch.setattr(together, "FILLS", 0)
    requests = [each for each in asked(base, folders[:2], 2) if each.weights.adapter]
    before = [each.text for each in engine.generate(requests)]
    kept = engine._wear(requests[0].weights)
    assert kept.adapted_from == 1
    assert not kept.lower.bytes  # no checkpoint is left that would read them
    broken_off = engine.generate(requests)
    next(broken_off)
    broken_off.close()
    assert kept.lower.bytes
    list(engine.train(job(base, tmp_path / "run", Finetune(**HOW))))
    assert not kept.lower.bytes
    assert engine._wear(Weights(str(base))).adapted_from == 0
    assert [each.text for each in engine.generate(requests)] == before


def test_weights_that_lie_on_disk_as_they_are_in_memory_are_not_kept_twice(trained, tmp_path):
    base, folders = trained
    loaded = loading.load(Path(base), torch.device("cpu"))
    before = {name: p.detach().clone() for name, p in loaded.model.named_parameters()}
    worn = adapters.Worn(loaded.model, folders[2], loaded.folder)
    assert not worn._weights._copied._kept
    assert any(not torch.equal(p, before[name]) for name, p in worn.model.named_parameters())
    worn.take_off()
    assert all(torch.equal(p, before[name]) for name, p in worn.model.named_parameters())
    changed = next(p for name, p in loaded.model.named_parameters() if name.endswith("0.mlp.up_proj.weight"))
    changed += 1  # now the file is another's
    before = {name: p.detach().clone() for name, p in loaded.model.named_parameters()}
    worn = adapters.Worn(loaded.model, folders[2], loaded.folder)
    assert len(worn._weights._copied._kept) == 1
    worn.take_off()
    assert all(torch.equal(p, before[name]) for name, p in worn.model.named_parameters())
