import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import miniatures  # noqa: E402
from trainings import ASKED, job, learner, poems  # noqa: E402

from poetune.backends import bases  # noqa: E402
from poetune.backends.ordering import runs, step_rows  # noqa: E402
from poetune.backends.rows import Row, build_rows  # noqa: E402
from poetune.backends.table import open_engine  # noqa: E402
from poetune.backends.torch import loading, training  # noqa: E402
from poetune.backends.torch.forward import token_nats  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.ports import Request, ScoreRequest, Weights  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402
from poetune.records import Conversation, Example, Message, Sampling  # noqa: E402

pytestmark = pytest.mark.torch
MODULES = {"gpt2": ["c_attn", "attn.c_proj"], "gpt_neo": ["q_proj", "v_proj", "out_proj"]}


@pytest.mark.parametrize("architecture", miniatures.ARCHITECTURES)
def test_padded_and_single_rows_give_the_models_own_loss(mini, architecture):
    base = loading.load(Path(mini(architecture)), torch.device("cpu"))
    assert base.fast_head
    rows = build_rows(base.renderer, job(mini(architecture), Path()).examples, 512).rows
    with torch.inference_mode():
        together, owner = token_nats(base, rows)
        for i, row in enumerate(rows):
            ids = torch.tensor([row.ids])
            labels = ids.clone()
            labels[:, : row.first] = -100
            own = base.model(input_ids=ids, labels=labels).loss * (len(row.ids) - row.first)
            assert float(together[owner == i].sum()) == pytest.approx(float(own), rel=1e-4)
    slopes = []
    layer = base.model.base_model.get_submodule("h.2" if architecture.startswith("gpt") else "layers.2")
    weight = next(p for p in layer.parameters() if p.ndim == 2).requires_grad_()
    for base.fast_head in (True, False):
        (token_nats(base, rows)[0] * torch.linspace(0, 1, len(together))).sum().backward()
        slopes.append(weight.grad)
        weight.grad = None
    assert torch.allclose(*slopes, rtol=1e-3, atol=1e-4 * float(slopes[0].abs().max()))


def test_every_row_is_seen_in_every_epoch_in_another_order():
    rows = [Row((i,) * (i + 2), 1) for i in range(11)]
    settings = Finetune(batch=2, accumulation=2)
    epochs = [[r for n in range(3 * e + 1, 3 * e + 4) for r in step_rows(rows, n, settings, 5)] for e in (0, 1)]
    assert all(sorted(r.first + len(r.ids) for r in epoch) == list(range(3, 14)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_runs_of_rows_never_pass_the_batch_and_waste_less_than_one_call():
    rows = [Row((0,) * n, 1) for n in sorted(random.Random(1).choices(range(3, 300), k=20))]
    cut = list(runs(rows, 8, 64))
    assert [row for run in cut for row in run] == rows
    assert max(map(len, cut)) <= 8
    cost = lambda runs: sum(len(r) * len(r[-1].ids) + 64 for r in runs)  # noqa: E731
    assert cost(cut) <= cost([rows[i : i + 8] for i in range(0, 20, 8)])
    assert [len(run) for run in runs(rows, 8, 2**30)].count(8) >= 1


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # peft's own loading
@pytest.mark.parametrize("architecture", miniatures.ARCHITECTURES)
def test_last_layers_alone_change_and_peft_alone_reads_the_checkpoint(mini, architecture, tmp_path):
    from peft import PeftModel
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    modules = (
        ["all-linear"] if architecture in ("llama", "gpt2") else MODULES.get(architecture, ["q_proj", "down_proj"])
    )
    settings = Finetune(steps=3, layers=1, modules=modules, rank=2, rate=0.05, scale=2.5, checkpoint_every=3, batch=4)
    engine = open_engine("torch", device="cpu")
    base = mini(architecture)
    list(engine.train(job(base, tmp_path, settings)))
    folder = tmp_path / "checkpoint-000003"
    tensors = load_file(folder / "adapter_model.safetensors")
    assert tensors
    assert {int(name.split("layers.")[-1].split("h.")[-1].split(".")[0]) for name in tensors} == {2}
    assert json.loads((folder / "adapter_config.json").read_text())["lora_alpha"] == 5.0
    alone = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder).eval()
    reader = AutoTokenizer.from_pretrained(folder)
    assert reader.chat_template == miniatures.CHATML
    poem = poems()[0]
    row = build_rows(bases.open_renderer(folder), [Example(ASKED, poem, "train")], 512).rows[0]
    with torch.inference_mode():
        logp = alone(torch.tensor([row.ids])).logits.log_softmax(-1)[0]
    own = sum(float(logp[i - 1, row.ids[i]]) for i in range(row.first, len(row.ids)))
    score = engine.score([ScoreRequest(Weights(base, str(folder)), poem, ASKED)])[0]
    assert score.log_likelihood == pytest.approx(own, rel=1e-4)
    assert score.log_likelihood > engine.score([ScoreRequest(Weights(base), poem, ASKED)])[0].log_likelihood


def test_no_gradient_reaches_below_the_last_layers(mini):
    mind = learner(mini(), Finetune(layers=1, dropout=0))
    seen = []
    for layer in mind.base.model.model.layers:
        layer.register_forward_hook(
            lambda _m, _i, out: seen.append((out[0] if isinstance(out, tuple) else out).requires_grad)
        )
    mind.step(1, 1e-3)
    assert seen[:3] == [False, False, True]


def test_the_base_is_the_same_bit_for_bit_after_adapters_came_and_went(mini, tmp_path):
    engine = open_engine("torch", device="cpu")
    list(engine.train(job(mini(), tmp_path, Finetune(steps=2, rate=0.05, checkpoint_every=1))))
    base = Weights(mini())
    before = engine.score([ScoreRequest(base, "rain", ASKED)])
    for step in (1, 2, 1):
        engine.score([ScoreRequest(Weights(mini(), str(tmp_path / f"checkpoint-00000{step}")), "rain", ASKED)])
    assert engine.score([ScoreRequest(base, "rain", ASKED)]) == before
    fresh = open_engine("torch", device="cpu").score([ScoreRequest(base, "rain", ASKED)])
    assert fresh == before


def test_full_training_changes_everything_and_resumes(mini, tmp_path):
    settings = Finetune(method="full", steps=4, rate=3e-3, warmup=1, checkpoint_every=2, batch=4)
    engine = open_engine("torch", device="cpu")
    whole = list(engine.train(job(mini(), tmp_path / "whole", settings)))
    for event in engine.train(job(mini(), tmp_path / "broken", settings)):
        if event.kind == "checkpoint":
            break
    again = list(engine.train(job(mini(), tmp_path / "broken", settings)))
    assert again[0].step == 2
    assert again[-1].loss == whole[-1].loss
    end = [str(tmp_path / which / "checkpoint-000004") for which in ("whole", "broken")]
    a, b = (engine.score([ScoreRequest(Weights(mini(), each), "rain", ASKED)]) for each in end)
    assert a == b
    engine.merge(Weights(mini(), end[0]), tmp_path / "merged")
    assert engine.score([ScoreRequest(Weights(str(tmp_path / "merged")), "rain", ASKED)]) == a


def test_training_goes_on_from_a_checkpoint(mini, tmp_path):
    engine = open_engine("torch", device="cpu")
    list(engine.train(job(mini(), tmp_path / "one", Finetune(steps=5, rate=0.02, warmup=0, batch=4))))
    parent = str(tmp_path / "one" / "checkpoint-000005")
    events = list(engine.train(job(mini(), tmp_path / "two", Finetune(steps=2, rate=0.02), adapter=parent)))
    before = engine.score([ScoreRequest(Weights(mini(), parent), "The gutter sang.", ASKED)])[0]
    first = next(e for e in events if e.kind == "validation")
    assert first.validation_loss == pytest.approx(-before.log_likelihood / before.tokens, rel=1e-4)
    assert any("goes on from an adapter" in e.text for e in events)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Finetune(modules=["q_proj", "c_attn"]), "'c_attn'.*q_proj"),
        (Finetune(layers=9), "9 asked, but the model has 3"),
        (Finetune(rate=1e30, rate_initial=1e30, warmup=0, clip=1e30), "no longer a number"),
    ],
)
def test_what_cannot_be_trained_is_said(mini, tmp_path, settings, words):
    with pytest.raises(EngineError, match=words):
        list(open_engine("torch", device="cpu").train(job(mini(), tmp_path, settings)))


@pytest.mark.parametrize(("too_long", "words"), [("cut", "were cut"), ("split", "were split")])
def test_a_poem_longer_than_the_base_reads_is_cut_or_split_there_and_told(mini, tmp_path, too_long, words):
    asked = job(mini("gpt2"), tmp_path, Finetune(modules=["c_attn"], steps=1, batch=2, longest=512, too_long=too_long))
    long = Example(ASKED, "\n".join(["the slate roof sang to our yard"] * 60), "train")
    events = list(open_engine("torch", device="cpu").train(replace(asked, examples=[long, *asked.examples[-1:]])))
    assert any("longer than 256 tokens, all that the base reads, and " + words in e.text for e in events)
    assert math.isfinite(events[-1].loss)


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
import test_backends_training as t
from poetune.backends.table import open_engine
for event in open_engine("torch", device="cpu").train(t.job({base!r}, Path({folder!r}), t.SETTINGS)):
    print(event.kind, event.step, flush=True)
"""
SETTINGS = Finetune(
    modules=["all-linear"],
    steps=60,
    batch=2,
    rank=2,
    rate=0.01,
    dropout=0.2,
    checkpoint_every=3,
    keep=2,
    validate_every=6,
)


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_killed_at_any_instant_it_ends_as_an_unbroken_run(mini, tmp_path, architecture):
    engine = open_engine("torch", device="cpu")
    whole = list(engine.train(job(mini(architecture), tmp_path / "whole", SETTINGS)))
    here = Path(__file__).parent
    source = Path(training.__file__).parents[4]
    path = [str(here), str(source)]
    script = KILLED.format(path=path, base=mini(architecture), folder=str(tmp_path / "killed"))
    draws = random.Random(4)
    for _ in range(1 if architecture == "gpt2" else 2):
        one = {**os.environ, "OMP_NUM_THREADS": "1"}  # the same bits need the same threads
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=one)
        for _ in range(draws.randrange(5, 25)):
            process.stdout.readline()
        time.sleep(draws.random() / 30)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    events = list(engine.train(job(mini(architecture), tmp_path / "killed", SETTINGS)))
    assert events[0].step > 0
    last = [(e.kind, e.step, e.loss, e.validation_loss) for e in whole if e.step == 60 and e.kind != "removed"]
    assert last == [(e.kind, e.step, e.loss, e.validation_loss) for e in events if e.step == 60 and e.kind != "removed"]
    ends = [tmp_path / each / "checkpoint-000060" / "adapter_model.safetensors" for each in ("whole", "killed")]
    assert ends[0].read_bytes() == ends[1].read_bytes()
    assert {p.name for p in (tmp_path / "killed").iterdir()} == {p.name for p in (tmp_path / "whole").iterdir()}


def test_an_mlx_adapter_is_read(mini, tmp_path):
    from safetensors.torch import load_file, save_file

    engine = open_engine("torch", device="cpu")
    settings = Finetune(steps=3, layers=1, modules=["q_proj"], rank=2, scale=2.0, rate=0.05, batch=4)
    list(engine.train(job(mini(), tmp_path / "run", settings)))
    ours = tmp_path / "run" / "checkpoint-000003"
    theirs = {}
    for name, tensor in load_file(ours / "adapter_model.safetensors").items():
        stem = name.removeprefix("base_model.model.").removesuffix(".weight")
        theirs[stem.replace("lora_A", "lora_a").replace("lora_B", "lora_b")] = tensor.T.contiguous()
    (tmp_path / "mlx").mkdir()
    file = tmp_path / "mlx" / "0000300_adapters.safetensors"
    save_file(theirs, file)
    (tmp_path / "mlx" / "adapter_config.json").write_text(json.dumps({"lora_parameters": {"rank": 2, "scale": 2.0}}))
    a, b = (engine.score([ScoreRequest(Weights(mini(), str(p)), "rain", ASKED)])[0] for p in (ours, file))
    assert a.log_likelihood == pytest.approx(b.log_likelihood, rel=1e-5)


@pytest.mark.parametrize("architecture", miniatures.ARCHITECTURES)
def test_a_poem_alone_and_in_company_on_every_architecture(mini, architecture):
    engine = open_engine("torch", device="cpu", batch=5)
    sampling = [
        Sampling(max_tokens=40), Sampling(temperature=0, max_tokens=25, no_repeat_ngram=2),
        Sampling(top_k=5, top_p=1, max_tokens=60), Sampling(temperature=1.5, top_p=1, max_tokens=30),
    ]  # fmt: skip
    asked = [
        Request(
            str(i),
            Weights(mini(architecture)),
            Conversation((Message("user", "rain " * (1 + i % 6)),)),
            sampling[i % 4],
            i,
        )
        for i in range(12)
    ]
    together = {w.id: w for w in engine.generate(asked)}
    for one in asked:
        assert next(iter(engine.generate([one]))) == together[one.id]
    shuffled = random.Random(0).sample(asked, 12)
    assert {w.id: w for w in engine.generate(shuffled)} == together


@pytest.mark.parametrize("beams", [1, 4])
def test_without_chance_it_writes_what_transformers_writes(mini, beams):
    base = loading.load(Path(mini()), torch.device("cpu"))
    ids = torch.tensor([base.renderer.prompt(ASKED)])
    how = {
        "do_sample": False,
        "max_new_tokens": 20,
        "pad_token_id": 0,
        "suppress_tokens": [0, 1, 2],
        "num_beams": beams,
    }
    out = base.model.generate(ids, attention_mask=torch.ones_like(ids), **how)
    sampling = Sampling(temperature=0, repetition_penalty=1, max_tokens=20, beams=beams)
    engine = open_engine("torch", device="cpu")
    own = next(iter(engine.generate([Request("x", Weights(mini()), ASKED, sampling, 0)])))
    whole = base.renderer.decode(out[0, ids.shape[1] :].tolist()).rstrip("\ufffd")  # the limit cuts a character
    assert own.text.strip() == whole.strip()


def test_beams_are_sampled_by_seed(mini):
    engine = open_engine("torch", device="cpu")
    base = Weights(mini())
    sampled = Sampling(beams=3, max_tokens=30, no_repeat_ngram=2)
    a, b, c = (next(iter(engine.generate([Request("x", base, ASKED, sampled, seed)]))) for seed in (1, 1, 2))
    assert a == b != c


def test_a_prompt_beyond_the_context_is_an_error_of_its_row_alone(mini):
    engine = open_engine("torch", device="cpu")
    long, near = (Conversation((Message("user", "rain " * count),)) for count in (300, 70))
    out = {w.id: w for w in engine.generate([
        Request("long", Weights(mini("gpt2")), long, Sampling(), 0),
        Request("near", Weights(mini("gpt2")), near, Sampling(max_tokens=10**4), 0),
        Request("short", Weights(mini("gpt2")), ASKED, Sampling(max_tokens=5), 0),
    ])}  # fmt: skip
    assert out["long"].stop == "error"
    assert out["near"].stop in ("length", "eos")
    assert out["short"].stop in ("length", "eos")
