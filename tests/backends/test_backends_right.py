"""What makes a training right, each sentence on a Llama and on a GPT-2."""

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import miniatures  # noqa: E402
from trainings import ADAPTED, ASKED, TWO, job, learner, poems  # noqa: E402

from poetune.backends import bases  # noqa: E402
from poetune.backends.poem import PoemRow  # noqa: E402
from poetune.backends.rows import build_rows  # noqa: E402
from poetune.backends.table import open_engine  # noqa: E402
from poetune.backends.torch import loading  # noqa: E402
from poetune.backends.torch.forward import WholeModel  # noqa: E402
from poetune.errors import EngineError  # noqa: E402
from poetune.ports import Request, ScoreRequest, Weights  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402
from poetune.records import Conversation, Example, Message, Sampling  # noqa: E402

pytestmark = pytest.mark.torch
EOS, PAD, BOS = 3, 0, 1


@pytest.mark.parametrize("architecture", TWO)
def test_the_end_is_learned_in_every_row_and_a_pad_never(mini, architecture):
    base = loading.load(Path(mini(architecture)), torch.device("cpu"))
    rows = sorted(build_rows(base.renderer, job("", Path()).examples, 512).rows, key=lambda row: len(row.ids))
    assert len({len(row.ids) for row in rows}) > 3  # of many lengths, so there are pads
    with torch.inference_mode():
        nats, owner = WholeModel(base).nats(rows)
        for i, row in enumerate(rows):
            own = nats[owner == i]
            logp = base.model(torch.tensor([row.ids])).logits.log_softmax(-1)[0]
            assert len(own) == len(row.ids) - row.first
            assert float(own[-1]) == pytest.approx(-float(logp[-2, EOS]), rel=1e-4)
            assert PAD not in row.ids[row.first :]


@pytest.mark.parametrize("architecture", TWO)
def test_one_step_is_one_step_in_whatever_batches(mini, architecture):
    results = []
    for batch, accumulation in ((8, 1), (4, 2), (1, 8)):
        settings = Finetune(batch=batch, accumulation=accumulation, dropout=0, rank=2, modules=ADAPTED[architecture])
        mind = learner(mini(architecture), settings)
        step = mind.step(1, 1e-2)
        gradient = torch.cat([mind.optimizer.state[p]["exp_avg"].flatten() for p in mind.parameters])
        results.append((step.nats, step.gradient_norm, gradient, mind.step(2, 1e-2).nats))
    for nats, norm, gradient, later in results[1:]:
        assert (nats, norm, later) == pytest.approx([results[0][i] for i in (0, 1, 3)], rel=1e-4)
        assert torch.allclose(gradient, results[0][2], atol=1e-6)


@pytest.mark.parametrize("architecture", TWO)
def test_every_row_is_read_once_an_epoch(mini, architecture):
    class Counting(WholeModel):
        seen: list = []  # noqa: RUF012

        def nats(self, rows):
            self.seen.extend(rows)
            return super().nats(rows)

    mind = learner(mini(architecture), Finetune(batch=2, accumulation=2, modules=ADAPTED[architecture]), Counting)
    mind.rows = mind.rows[:7]  # the last step of an epoch is a smaller one
    for epoch in range(3):
        Counting.seen.clear()
        for number in (1, 2):
            mind.step(2 * epoch + number, 1e-3)
        assert sorted(Counting.seen, key=str) == sorted(mind.rows, key=str)


@pytest.mark.parametrize("architecture", TWO)
def test_training_and_writing_read_the_same_prompt_with_one_bos(mini, architecture):
    engine, base = open_engine("torch", device="cpu"), mini(architecture)
    loaded = loading.load(Path(base), torch.device("cpu"))
    system = (Message("system", "You are a poet."), *ASKED.messages)
    for asked in (ASKED, Conversation(system, lead="\n"), Conversation(system, trim=True), Conversation(raw="Rain:")):
        row = build_rows(loaded.renderer, [Example(asked, "Rain.\nMore.", "train")], 512).rows[0]
        prompt = list(row.ids[: row.first])
        assert prompt == engine.render(Weights(base), asked)
        assert (
            prompt == PoemRow(loaded.renderer, loaded.context, Request("x", Weights(base), asked, Sampling(), 0)).prompt
        )
        assert (prompt[0], prompt.count(BOS)) == (BOS, 1)


@pytest.mark.parametrize("kind", ["byte level", "byte fallback"])
@pytest.mark.parametrize("text", ["a\nb", "a\n\nb", "a\n\n\n  b\n", "雨落\n\n灯很低。", " a\n b"])
def test_line_breaks_survive_the_tokens(tmp_path, kind, text):
    make = miniatures.tokenizer if kind == "byte level" else miniatures.fallback_tokenizer
    make(tmp_path)
    renderer = bases.open_renderer(tmp_path)
    ids = renderer.completion(text)
    assert renderer.decode(ids).count("\n") == text.count("\n")
    assert renderer.decode(ids) == text
    assert sum(i in renderer.line_break_ids for i in ids) >= (1 if "\n" in text else 0)


@pytest.fixture(scope="module")
def trained(mini, tmp_path_factory):
    """A checkpoint of each architecture."""
    made = {}
    for architecture in TWO:
        settings = Finetune(steps=3, rate=0.05, warmup=0, batch=4, modules=ADAPTED[architecture])
        folder = tmp_path_factory.mktemp(architecture)
        list(open_engine("torch", device="cpu").train(job(mini(architecture), folder, settings)))
        made[architecture] = folder / "checkpoint-000003"
    return made


@pytest.mark.parametrize("architecture", TWO)
def test_an_adapter_is_refused_on_another_base_or_template(mini, trained, architecture, tmp_path):
    engine = open_engine("torch", device="cpu")
    adapter = str(trained[architecture])
    with pytest.raises(EngineError, match="was trained on another base"):
        engine.score([ScoreRequest(Weights(mini(architecture, seed=1), adapter), "rain")])
    other = tmp_path / "other"
    shutil.copytree(mini(architecture), other)
    (other / "chat_template.jinja").write_text(miniatures.CHATML + "{# changed #}")
    for use in (
        lambda: engine.score([ScoreRequest(Weights(str(other), adapter), "rain")]),
        lambda: engine.merge(Weights(str(other), adapter), tmp_path / "merged"),
        lambda: list(engine.train(job(str(other), tmp_path / "on", Finetune(steps=1), adapter=adapter))),
    ):
        with pytest.raises(EngineError, match="another chat template"):
            use()
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize(("kept", "merged"), [("bfloat16", "bfloat16"), ("float16", "float32"), ("float32", "float32")])
@pytest.mark.parametrize("architecture", TWO)
def test_merging_is_in_bf16_or_fp32(mini, architecture, tmp_path, kept, merged):
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    base = tmp_path / "base"
    shutil.copytree(mini(architecture), base)
    AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, kept)).save_pretrained(base)
    engine = open_engine("torch", device="cpu")
    settings = Finetune(steps=1, rate=0.05, warmup=0, batch=4, modules=ADAPTED[architecture])
    list(engine.train(job(str(base), tmp_path / "run", settings)))
    engine.merge(Weights(str(base), str(tmp_path / "run" / "checkpoint-000001")), tmp_path / "merged")
    tensors = load_file(tmp_path / "merged" / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {getattr(torch, merged)}
    config = json.loads((tmp_path / "merged" / "config.json").read_text())
    assert "quantization_config" not in config
    assert config["dtype"] == merged


@pytest.mark.parametrize("architecture", TWO)
def test_merged_weights_give_the_adapters_own_figures(mini, trained, architecture, tmp_path):
    engine = open_engine("torch", device="cpu")
    asked = [ScoreRequest(Weights(mini(architecture), str(trained[architecture])), text, ASKED) for text in poems()]
    engine.merge(asked[0].weights, tmp_path / "merged")
    fused = [ScoreRequest(Weights(str(tmp_path / "merged")), text, ASKED) for text in poems()]
    for one, other in zip(engine.score(asked), engine.score(fused), strict=True):
        assert one.tokens == other.tokens
        assert abs(one.log_likelihood - other.log_likelihood) / one.tokens < 1e-4


def test_few_rows_are_said_and_trained_on(mini):
    mind = learner(mini(), Finetune(batch=4, accumulation=4))
    assert any("8 training rows and a step takes 16" in text for text in mind.notes)
    assert mind.step(1, 1e-3).read == sum(len(row.ids) for row in mind.rows)
