"""The presets are whole recipes with the sources' figures, and `init` hands them out with their remarks."""

import pytest
from click.testing import CliRunner

from poetune.cli.group import poetune
from poetune.errors import RecipeError
from poetune.recipe import load, resolve
from poetune.recipe.presets import names, preset
from poetune.recipe.yamltext import parse
from poetune.studio import demo
from poetune.studio.init import create


def recipe(name):
    return resolve(parse(preset(name).text, name))


@pytest.mark.parametrize("name", names())
def test_every_preset_is_a_whole_recipe_with_one_line_about_it(name):
    found = preset(name)
    assert 20 < len(found.about) < 120
    assert found.about.endswith(".")
    made = recipe(name)
    assert made.finetune.chain()
    assert made.generate.samplings()


def test_the_figures_of_each_source():
    zh = recipe("personal-zh")
    own = zh.finetune
    assert (zh.base, own.quantize) == ("Qwen/Qwen2.5-7B-Instruct", "8bit")
    assert (own.layers, own.rank, own.scaling, own.dropout, own.batch, own.steps) == (12, 4, 8, 0.2, 4, 1000)
    assert [name.split(".")[1] for name in own.modules] == ["q_proj", "v_proj", "down_proj", "gate_proj", "up_proj"]
    assert (own.schedule, own.rate, own.rate_initial, own.rate_final, own.warmup) == ("cosine", 1e-5, 1e-7, 1e-7, 50)
    assert (own.report_every, own.validate_every, own.validate_batches) == (20, 100, 25)
    assert len(zh.generate.templates) == 5
    assert len(set(zh.generate.themes)) == 80
    assert (zh.judge.batch, zh.judge.finals) == (10, 5)
    assert "现代诗" in zh.dataset.system
    longer, enriched = recipe("personal-zh-16").finetune, recipe("personal-zh-enriched").finetune
    assert (longer.layers, longer.steps, longer.rank) == (16, 1200, 4)
    assert (enriched.layers, enriched.steps, enriched.batch, len(enriched.modules)) == (24, 1600, 2, 6)

    love = recipe("renaissance-love")
    assert (love.base, love.corpus.files, love.finetune.precision) == (
        "EleutherAI/gpt-neo-1.3B", ["hub:merve/poetry"], "fp16",
    )  # fmt: skip
    assert love.corpus.where == {"age": "Renaissance", "type": "Love"}
    ways = love.generate.samplings()
    assert {(w.beams, w.max_tokens, w.temperature) for w in ways} == {(5, 150, 0), (5, 40, 0), (1, 150, 0), (1, 40, 0)}
    assert all(w.no_repeat_ngram and w.repetition_penalty > 1 for w in ways)

    for name, base in (
        ("two-stage", "openai-community/gpt2"),
        ("two-stage-deepseek", "deepseek-ai/deepseek-coder-1.3b-base"),
    ):
        two = recipe(name)
        first, second = two.finetune.chain()
        assert two.base == base
        assert (first.kind, first.method, first.shares) == ("dapt", "lora", (80, 20, 0))
        assert (second.kind, second.method, second.shares) == ("sft", "full", (80, 5, 15))
        assert (second.batch, second.accumulation, second.epochs, second.rate) == (2, 4, 1, 1e-4)
        sampling = two.generate.sampling()
        assert (sampling.temperature, sampling.top_p, sampling.repetition_penalty) == (0.7, 0.95, 1.1)
        assert [tuple(one.values()) for one in two.finetune.sweep] == [
            (2, 4, 1, 1e-4), (2, 8, 3, 5e-5), (2, 16, 5, 3e-5), (4, 4, 2, 2e-4),
        ]  # fmt: skip

    classical = recipe("classical-zh").finetune
    assert (classical.quantize, classical.sweep) == ("4bit", {"steps": [100, 500]})
    assert classical.modules == ["q_proj", "k_proj", "v_proj", "o_proj"]

    fusion = recipe("poetry-fusion")
    assert (fusion.finetune.rank, fusion.finetune.alpha, fusion.finetune.dropout) == (64, 16, 0.1)
    assert fusion.finetune.quantize == "4bit"
    drawn = fusion.generate.sampling()
    assert (drawn.temperature, drawn.top_p, drawn.top_k, drawn.max_tokens) == (0.8, 0.85, 40, 256)
    assert len([poet for poet in fusion.generate.slots["author"] if " and " not in poet]) == 10


def test_the_starter_preset_is_the_demo():
    own = recipe("starter").finetune
    assert (own.method, own.steps, own.rate, own.checkpoint_every) == ("full", demo.STEPS, float(demo.RATE), demo.EVERY)


def test_init_keeps_the_remarks_and_sets_what_is_given(tmp_path):
    create(tmp_path / "my poet", base="Qwen/Qwen2.5-32B-Instruct", preset="personal-zh")
    text = (tmp_path / "my poet" / "poet.yaml").read_text(encoding="utf-8")
    before = preset("personal-zh").text.splitlines()
    changed = [(a, b) for a, b in zip(before, text.splitlines(), strict=True) if a != b]
    assert [b for _, b in changed] == ["name: my poet", "base: Qwen/Qwen2.5-32B-Instruct"]
    assert load(tmp_path / "my poet" / "poet.yaml").language == "zh"


def test_the_command_lists_presets_and_knows_near_names(tmp_path):
    shown = CliRunner().invoke(poetune, ["init", "--list-presets"])
    assert [line.split()[0] for line in shown.output.splitlines()] == names()
    with pytest.raises(RecipeError, match="did you mean `renaissance-love`"):
        create(tmp_path / "x", preset="renaisance")
    assert not (tmp_path / "x").exists()
