"""Each preset from `init` to poems, on a miniature of its architecture with data of its source's columns."""

import json

import pytest
import small_bases
import source_data as data
from click.testing import CliRunner

from poetune.cli.group import poetune
from poetune.recipe import load
from poetune.records import Candidate, Example, Model, Prompt
from poetune.studio import Quiet, Studio

pytestmark = pytest.mark.torch
FEW = ("finetune.steps=2", "finetune.batch=2", "finetune.accumulation=1", "finetune.report_every=1",
       "finetune.validate_every=2", "finetune.checkpoint_every=2", "finetune.warmup=1", "generate.from_step=0",
       "generate.max_tokens=12")  # fmt: skip


def run(folder, *words, few=FEW):
    given = [part for one in few for part in ("--set", one)] if words[0] != "init" else []
    place = [] if words[0] == "init" else ["--project", str(folder)]
    done = CliRunner().invoke(poetune, [*map(str, words), *place, *given, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def started(folder, name, base, files):
    """A project by the preset's name, the data of its source in it, read by the recipe's own words."""
    run(folder, "init", folder, "--preset", name, "--model", base)
    files(folder)
    return run(folder, "corpus")


def written(folder):
    with Studio(folder, (), Quiet()) as studio:
        prompts = {p.id: p for p in studio.store.all(Prompt)}
        return [(c, prompts[c.prompt]) for c in studio.store.all(Candidate) if c.round]


@pytest.mark.parametrize("name", ["personal-zh", "personal-zh-16", "personal-zh-enriched"])
def test_personal_zh(name, tmp_path, small):
    folder = tmp_path / "p"
    assert started(folder, name, small("Qwen2.5"), data.personal)["new"] == (10 if "enriched" in name else 8)
    done = run(folder, "finetune")
    assert done["checkpoints"] == 1
    with Studio(folder, (), Quiet()) as studio:
        examples = studio.store.all(Example)
        assert all("现代诗" in e.conversation.messages[0].content for e in examples)
        assert {e.conversation.messages[1].content for e in examples} <= {theme for theme, _ in data.RIVER}
        assert {e.completion for e in examples} <= {poem for _, poem in data.RIVER}
        adapter = studio.folder / studio.store.all(Model)[-1].adapter / "adapter_config.json"
        kept = json.loads(adapter.read_text())
        count = {"personal-zh": 12, "personal-zh-16": 16, "personal-zh-enriched": 24}[name]
        assert (kept["r"], kept["lora_alpha"], len(kept["layers_to_transform"] or range(24))) == (4, 32, count)
    if name == "personal-zh":
        assert run(folder, "generate", "--max-themes", 1)["written"] == 5
        assert {p.template for _, p in written(folder)} == {"plain.v1", "airy.v1", "pause.v1", "deep.v1", "bare.v1"}


def test_renaissance_love(tmp_path, small):
    folder = tmp_path / "p"

    def table(project):
        data.renaissance(project)
        recipe = project / "poet.yaml"
        recipe.write_text(recipe.read_text().replace('"hub:merve/poetry"', "poetry.csv"))

    assert started(folder, "renaissance-love", small("gpt-neo"), table)["new"] == len(data.LOVE)
    few = (*FEW, "finetune.epochs=0", "generate.sweep={beams: [5, 1], max_tokens: [12, 6]}")
    assert run(folder, "finetune", few=few)["checkpoints"] == 1
    done = run(folder, "generate", few=few)
    assert done["written"] == 2 * 4  # openings x ways
    poems = written(folder)
    assert all(c.text.startswith(("O, my love, you are like", "My dearest heart")) for c, _ in poems)
    assert {(c.sampling.beams, c.sampling.max_tokens) for c, _ in poems} == {(5, 12), (5, 6), (1, 12), (1, 6)}
    assert [way["poems"] for way in done["ways"]] == [2, 2, 2, 2]
    again = run(folder, "write", "--first-line", "O fairest rose", few=few)
    assert again["texts"][0].startswith("O fairest rose")


@pytest.mark.parametrize(("name", "base"), [("two-stage", "gpt2"), ("two-stage-deepseek", "deepseek-coder")])
def test_two_stage(name, base, tmp_path, small):
    folder = tmp_path / "p"

    def files(project):
        data.two_stage(project)
        recipe = project / "poet.yaml"
        text = recipe.read_text().replace("hub:suayptalha/Poetry-Foundation-Poems", "poems.csv")
        recipe.write_text(text.replace("hub:isaacrehg/poetry-instructions", "instructions.jsonl"))

    assert started(folder, name, small(base), files)["new"] == 2 * len(data.LOVE)
    few = (*FEW, "finetune.epochs=0", "finetune.sample_every=2")
    done = run(folder, "finetune", few=few)
    assert [stage["stage"] for stage in done["stages"]] == ["verse", "answers"]
    assert done["stages"][0]["trained"] < done["stages"][0]["parameters"] / 10
    assert done["stages"][1]["trained"] == done["stages"][1]["parameters"]
    stages = ("--stage", "base", "--stage", "verse", "--stage", "answers")
    assert run(folder, "generate", *stages, few=few)["written"] == 3 * 3  # before and after each stage
    assert {(p.theme, p.opening, p.template) for _, p in written(folder)} == {
        ("Write a poem about the sea and the sky", "", "dialogue.v1"),
        ("", "The sea is blue, the sky is red", "dialogue.v1"),
        ("", "The sea is blue, the sky is red", "verse.v1"),
    }


def test_classical_zh(tmp_path, small):
    folder = tmp_path / "p"
    assert started(folder, "classical-zh", small("Qwen1.5"), data.classical)["new"] == len(data.CLASSICAL)
    swept = run(folder, "finetune", "--sweep", few=(*FEW, "finetune.sweep={steps: [1, 2]}"))
    assert [trial["setting"] for trial in swept["trials"]] == ["steps=1", "steps=2"]
    run(folder, "finetune")
    assert run(folder, "generate", "--themes", "月")["written"] == 3
    assert sum(c.text.startswith(("床前明月光，", "月光下的长安城，")) for c, _ in written(folder)) == 2


def test_poetry_fusion(tmp_path, small):
    folder = tmp_path / "p"
    assert started(folder, "poetry-fusion", small("Llama-3.2"), data.fusion)["new"] == len(data.FUSED)
    run(folder, "finetune")
    with Studio(folder, (), Quiet()) as studio:
        asked = {e.conversation.messages[0].content for e in studio.store.all(Example)}
        assert "Write a poem.\nPoet: Emily Dickinson\nEmotion: Joy" in asked
        assert len(asked) == len({(poet, mood) for *_, poet, mood in data.FUSED})
        assert all("\n" in e.completion for e in studio.store.all(Example))  # the lost line breaks came back
    assert run(folder, "generate", "--max-themes", 1)["written"] == 22
    systems = {p.system for _, p in written(folder)}
    assert "Write a poem.\nPoet: William Shakespeare and Edgar Allan Poe\nEmotion: Sadness" in systems
    assert len(systems) == 22


def test_starter(tmp_path):
    folder = tmp_path / "p"
    run(folder, "init", folder, "--preset", "starter")
    (folder / "poems.txt").write_text("\n---\n".join(text for _, _, text in data.LOVE))
    few = (*FEW, "generate.templates=[plain.v1]")
    run(folder, "corpus", folder / "poems.txt", "--yes")
    run(folder, "finetune", few=few)
    assert run(folder, "generate", "--themes", "rain", few=few)["written"] == 1


@pytest.mark.parametrize(
    ("name", "base", "shape"),
    [
        ("two-stage", "gpt2", {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}),
        (
            "two-stage-deepseek",
            "deepseek-coder",
            {"vocab_size": 32256, "hidden_size": 2048, "intermediate_size": 5504, "num_hidden_layers": 24,
             "num_attention_heads": 16, "num_key_value_heads": 16, "max_position_embeddings": 16384},
        ),
    ],
)  # fmt: skip
def test_the_first_stage_trains_under_0_3_per_cent_of_the_real_base(name, base, shape, tmp_path):
    folder = tmp_path / "p"
    model = tmp_path / "base"
    model.mkdir()
    small_bases.shape_only(model, base, **shape)
    run(folder, "init", folder, "--preset", name, "--model", model)
    data.two_stage(folder)
    first = load(folder / "poet.yaml").finetune.stages[0].model_dump(mode="json", exclude_unset=True)
    run(folder, "corpus", folder / "poems.csv", few=())
    alone = f"finetune.stages={json.dumps([{**first, 'data': []}])}"
    needs = run(folder, "finetune", "--dry-run", few=(alone,))["stages"]["verse"]
    assert 0 < needs["trained"] / needs["parameters"] < 0.003
