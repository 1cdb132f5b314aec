"""Frozen lower layers that do not run: the same losses, gradients and adapters as with all layers."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402
from trainings import course, job, learner  # noqa: E402

from poetune.backends.rows import Row  # noqa: E402
from poetune.backends.table import open_engine  # noqa: E402
from poetune.backends.torch import loading, opening, stack, states, streaming  # noqa: E402
from poetune.backends.torch.boundary import boundary  # noqa: E402
from poetune.backends.torch.filling import common, fill  # noqa: E402
from poetune.backends.torch.forward import WholeModel  # noqa: E402
from poetune.backends.torch.packed import PackedModel  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.ports import Request, Weights  # noqa: E402
from poetune.recipe import Training  # noqa: E402
from poetune.records import Conversation, Message, Sampling  # noqa: E402

pytestmark = pytest.mark.torch

MODULES = {
    "llama": ["q_proj", "v_proj", "gate_proj", "up_proj", "down_proj"],
    "qwen2": ["q_proj", "k_proj", "o_proj", "down_proj"],
    "qwen3": ["q_proj", "k_proj", "o_proj", "down_proj"],
    "gpt2": ["c_attn", "mlp.c_proj"],
    "gpt_neo": ["q_proj", "c_fc"],
}


def settings(architecture, **more):
    given = {"layers": 1, "rank": 2, "steps": 5, "batch": 4, "rate": 1e-2, "warmup": 0, "dropout": 0.1}
    given |= {"report_every": 1, "validate_every": 2, "checkpoint_every": 5, "modules": MODULES[architecture]}
    return Training(**given | more)


def train(base, folder, asked, cache):
    events = list(open_engine("torch").train(replace(job(base, folder, asked), cache=cache)))
    return course(events), load_file(events[-1].folder / "adapter_model.safetensors"), [e.text for e in events]


@pytest.mark.parametrize("architecture", MODULES)
def test_with_the_cache_a_training_is_the_same(mini, tmp_path, architecture):
    base, cache = mini(architecture), tmp_path / "cache"
    all_layers, weights, _ = train(base, tmp_path / "a", settings(architecture, cache="off"), cache)
    assert not cache.exists()
    upper, same, said = train(base, tmp_path / "b", settings(architecture), cache)
    assert any("added to the cache" in text for text in said)
    for mine, other in zip(all_layers, upper, strict=True):
        assert mine[:2] == other[:2]
        assert [x for x in mine[2:] if x] == pytest.approx([x for x in other[2:] if x], rel=1e-4)
    assert weights.keys() == same.keys()
    assert all(torch.allclose(weights[name], same[name], atol=1e-4) for name in weights)

    before = sorted(cache.rglob("*"))
    _, _, said = train(base, tmp_path / "c", settings(architecture, rank=3), cache)  # as another setting of a sweep
    assert any("the cache has what they give" in text for text in said)
    assert sorted(cache.rglob("*")) == before


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("method", ["lora", "dora", "full"])
def test_packed_rows_give_the_losses_and_gradients_of_padded_ones(mini, architecture, method):
    asked = Training(method=method, rank=2, dropout=0, batch=8, modules=MODULES[architecture])
    results = []
    for forward in (WholeModel, PackedModel):
        mind = learner(mini(architecture), asked, forward)
        nats = [mind.step(n, 3e-3).nats for n in (1, 2)]  # the second step has B away from zero
        results.append((nats, [mind.optimizer.state[p]["exp_avg"] for p in mind.parameters], mind.validate()))
    (nats, gradients, held), (packed_nats, packed_gradients, packed_held) = results
    assert packed_nats == pytest.approx(nats, rel=1e-5)
    assert packed_held == pytest.approx(held, rel=1e-5)
    for one, other in zip(gradients, packed_gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5 + 1e-3 * float(one.abs().max()))


def test_rows_that_are_packed_do_not_see_each_other(mini):
    mind = learner(mini("llama"), settings("llama", layers=0, dropout=0), PackedModel)
    alone = torch.cat([mind.forward.nats([row])[0] for row in mind.rows])
    together, owner = mind.forward.nats(mind.rows)
    assert torch.allclose(alone, together, atol=1e-5)
    assert owner.tolist() == sorted(owner.tolist())


def test_what_runs_is_not_cached(mini):
    config = streaming.skeleton(Path(mini("llama"))).config
    plain = settings("llama")
    assert boundary(config, plain, {2}).first == 2
    for asked, adapted, word in [
        (plain, {0, 2}, "lowest layer"),
        (settings("llama", method="full"), {2}, "all weights"),
        (settings("llama", cache="off"), {2}, "off"),
        (settings("llama", bias="all"), {2}, "biases"),
    ]:
        assert boundary(config, asked, adapted).first == 0
        assert word in boundary(config, asked, adapted).reason
    config.model_type = "unheard"
    assert "unheard" in boundary(config, plain, {2}).reason


def test_lower_layers_are_loaded_one_at_a_time_and_only_for_new_texts(mini, tmp_path, monkeypatch):
    read = []
    plain = streaming.Tensors.read
    monkeypatch.setattr(streaming.Tensors, "read", lambda self, name, *a: read.append(name) or plain(self, name, *a))
    learners = []
    opened = opening.open_for_training
    monkeypatch.setattr(
        "poetune.backends.torch.engine.open_for_training",
        lambda *a, **k: learners.append(opened(*a, **k)) or learners[-1],
    )
    engine, base = open_engine("torch"), mini("qwen2")
    for run in ("a", "b"):
        list(
            engine.train(
                replace(job(base, tmp_path / run, settings("qwen2", rank=2 + len(read))), cache=tmp_path / "c")
            )
        )
        names = [name for name, _ in learners[-1].base.model.named_parameters()]
        assert any("layers.2." in name for name in names)
        assert not any("layers.0." in name or "layers.1." in name for name in names)
        lower = [name for name in read if "layers.0." in name or "layers.1." in name]
        assert bool(lower) == (run == "a")
        read.clear()
    request = Request("r", Weights(base), Conversation((Message("user", "rain"),)), Sampling(max_tokens=4), 0)
    assert next(iter(engine.generate([request]))).tokens  # whoever writes afterwards has all layers


def test_settings_of_a_sweep_share_the_upper_layers_and_nothing_of_each_other(mini, tmp_path, monkeypatch):
    read, plain = [], streaming.Tensors.read
    monkeypatch.setattr(streaming.Tensors, "read", lambda self, name, *a: read.append(name) or plain(self, name, *a))
    base, cache = mini("qwen2"), tmp_path / "cache"

    def trained(engine, name, asked):
        read.clear()
        events = list(engine.train(replace(job(base, tmp_path / name, asked), cache=cache)))
        return bool(read), course(events), load_file(events[-1].folder / "adapter_model.safetensors")

    small, large = settings("qwen2"), settings("qwen2", rank=3, method="dora")
    one = open_engine("torch")
    together = [trained(one, "a", small), trained(one, "b", large), trained(one, "c", settings("qwen2", layers=2))]
    assert [anew for anew, _, _ in together] == [True, False, True]  # another edge needs other layers
    _, losses, weights = trained(open_engine("torch"), "d", large)
    assert together[1][1] == losses
    assert all(torch.equal(weights[name], each) for name, each in together[1][2].items())
    list(
        one.generate([Request("r", Weights(base), Conversation((Message("user", "rain"),)), Sampling(max_tokens=2), 0)])
    )
    assert trained(one, "e", settings("qwen2", layers=2, rate=1e-3))[0]
    one.merge(Weights(base), tmp_path / "merged")
    assert trained(one, "f", settings("qwen2", layers=2, rate=2e-3))[0]  # nothing was held while a whole base was read


def test_an_adapter_that_goes_on_training_has_its_own_boundary(mini, tmp_path):
    base, cache = mini("llama"), tmp_path / "cache"
    asked = settings("llama", layers=2, dropout=0)
    list(open_engine("torch").train(replace(job(base, tmp_path / "first", asked), cache=cache)))
    adapter = str(tmp_path / "first" / "checkpoint-000005")
    results = []
    for name, kind in (("off", "off"), ("auto", "auto")):
        more = settings("llama", layers=1, dropout=0, cache=kind)  # what the adapter itself covers counts, not this
        again = replace(job(base, tmp_path / name, more, adapter=adapter), cache=cache)
        results.append([e[2:] for e in course(open_engine("torch").train(again))])
    assert len(list(cache.iterdir())) == 1
    for one, other in zip(*results, strict=True):
        assert [x for x in one if x] == pytest.approx([x for x in other if x], rel=1e-4)


def test_a_cache_of_another_model_a_damaged_one_and_a_full_disk(tmp_path, monkeypatch):
    kept = states.States(tmp_path, "mine")
    kept.add([(1, 2)], [torch.ones(2, 4)])
    again = states.States(tmp_path, "mine")
    assert again.missing([(1, 2), (1, 2, 3), (1, 2, 3)]) == [(1, 2, 3)]
    assert torch.equal(again.get((1, 2)), torch.ones(2, 4))

    part = next((tmp_path / "mine").iterdir())
    other = tmp_path / "yours"
    other.mkdir()
    (other / part.name).write_bytes(part.read_bytes())
    with pytest.raises(EngineError, match=r"another model; delete its folder"):
        states.States(tmp_path, "yours")
    (other / part.name).write_bytes(part.read_bytes()[:30])
    with pytest.raises(EngineError, match=r"damaged; delete its folder"):
        states.States(tmp_path, "yours")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(states, "save_file", full)
    with pytest.raises(EngineError, match=r"No space left.*finetune\.cache to off"):
        kept.add([(5,)], [torch.ones(1, 4)])
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [part.name]


def test_what_it_will_take_knows_of_layers_that_do_not_run(mini, tmp_path):
    engine, base = open_engine("torch"), mini("llama")

    def needs(**more):
        return engine.needs(replace(job(base, tmp_path / "run", settings("llama", **more)), cache=tmp_path / "cache"))

    cached, all_run = needs(), needs(cache="off")
    assert cached.memory < all_run.memory
    assert cached.trained == all_run.trained
    assert any("once a text" in note for note in cached.notes)
    assert not any("once a text" in note for note in all_run.notes)
    assert needs(quantize="4bit").memory < cached.memory
    assert needs(precision="bf16").memory < cached.memory
    assert not (tmp_path / "cache").exists()


def test_what_it_will_take_is_shared_by_the_processes_of_a_launch(mini, tmp_path, monkeypatch):
    asked = job(mini("llama"), tmp_path, settings("llama", batch=4, cache="off"))
    alone = open_engine("torch").needs(asked)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    shared = open_engine("torch").needs(asked)
    assert shared.memory < alone.memory
    assert shared.has_memory == alone.has_memory // 2
    assert any(note.startswith("2 processes share") for note in shared.notes)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("begins", [0, 30])
def test_what_rows_begin_with_runs_once_and_changes_nothing(mini, tmp_path, monkeypatch, architecture, begins):
    rows = [Row((*range(5, 5 + begins), 40 + i, 50, 60 + i, 61, 62 + i, 1), begins + 2) for i in range(4)]
    base = loading.load(Path(mini(architecture)), torch.device("cpu"))
    laid = []
    layer = stack.Stack._layer
    monkeypatch.setattr(stack.Stack, "_layer", lambda *given: laid.append(len(given[2])) or layer(*given))
    alone = torch.cat([PackedModel(base).nats([row])[0] for row in rows])
    laid.clear()
    together, owner = PackedModel(base).nats(rows)
    assert set(laid) == {begins + 4 * 5}
    assert torch.allclose(alone, together, atol=1e-5)
    assert owner.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4

    laid.clear()
    cache = states.States(tmp_path, "key")
    texts = [row.ids[:-1] for row in rows]
    layers = base.model.base_model.layers
    fill(cache, texts, base.model.base_model, 1, lambda i: layers[i], torch.device("cpu"), torch.float32)
    assert laid == [begins + 4 * 5]
    cached, _ = PackedModel(base, 1, cache).nats(rows)
    assert torch.allclose(alone, cached, atol=1e-5)
    with torch.inference_mode():
        for ids in texts:
            whole = base.model(torch.tensor([ids]), output_hidden_states=True).hidden_states[1][0]
            assert torch.allclose(whole, cache.get(ids), atol=1e-5)


@given(st.lists(st.lists(st.integers(0, 2), max_size=12), min_size=1, max_size=5))
def test_the_common_beginning_is_the_longest_worth_its_while(texts):
    found = common(texts)
    longest = 0
    while all(len(ids) > longest and ids[longest] == texts[0][longest] for ids in texts):
        longest += 1
    assert found in (0, longest)
    assert found == longest or longest * (len(texts) - 1) < 8
