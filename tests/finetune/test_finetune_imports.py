"""Foreign recipes: every key is accounted for, and what comes out is a recipe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import RecipeError
from poetune.finetune.imports import mlx, read, trainer
from poetune.finetune.imports.mapping import flat
from poetune.recipe import load, resolve
from poetune.recipe.editing import with_values
from poetune.recipe.presets import preset
from poetune.recipe.yamltext import parse
from poetune.studio.importing import bring

LORA = """
model: "mlx-community/Qwen2.5-7B-Instruct-8bit"
train: true
fine_tune_type: lora
data: "./data"
num_layers: 12
batch_size: 4
iters: 1000
val_batches: 25
steps_per_report: 20
steps_per_eval: 100
learning_rate: 1e-5
lr_schedule:
  name: cosine_decay
  warmup: 50
  warmup_init: 1e-7
  arguments: [1e-5, 1000, 1e-7]
lora_parameters:
  keys: [self_attn.q_proj, self_attn.v_proj, mlp.down_proj, mlp.gate_proj, mlp.up_proj]
  rank: 4
  alpha: 8
  dropout: 0.2
  scale: 8.0
"""
TRAINER = """
model_name: EleutherAI/gpt-neo-1.3B
dataset_name: merve/poetry
output_dir: outputs/lora
learning_rate: 0.0002
per_device_train_batch_size: 4
num_train_epochs: 3
logging_steps: 50
save_steps: 500
save_total_limit: 2
fp16: true
r: 8
lora_alpha: 16
lora_dropout: 0.05
bias: none
task_type: CAUSAL_LM
prompt: "O, my love, you are like"
max_length: 150
num_return_sequences: 1
no_repeat_ngram_size: 4
repetition_penalty: 1.2
num_beams: 5
do_sample: false
"""
odd = (
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(0, 5) | st.text(max_size=6) | st.lists(st.integers())
)


def recipe(found):
    return resolve(parse(with_values("", found.values), "x"))


def test_the_lora_file_becomes_the_preset():
    made, wanted = recipe(read(parse(LORA, "x"))), resolve(parse(preset("personal-zh").text, "x"))
    assert made.base == wanted.base
    ours = {"longest": 2048}  # the preset departs from mlx-lm's default here, and says so
    assert made.finetune.model_dump() == {**wanted.finetune.model_dump(), **ours}
    left = {one.key: one.left_out for one in read(parse(LORA, "x")).left}
    assert left == {"lora_parameters.alpha": False, "mask_prompt": True}


def test_the_trainer_file_becomes_the_preset_flat_or_in_sections():
    made, wanted = recipe(read(parse(TRAINER, "x"))), resolve(parse(preset("renaissance-love").text, "x"))
    own = made.finetune.model_dump() | {"validate_every": 50, "rate_initial": 1e-7}
    assert own == wanted.finetune.model_dump()
    assert made.generate.sampling() in wanted.generate.samplings()
    data = parse(TRAINER, "x")
    parts = {"training": {k: data.pop(k) for k in ("learning_rate", "fp16")}, "lora": {"r": data.pop("r")}}
    assert read({**data, **parts}).values == read(parse(TRAINER, "x")).values


@given(st.dictionaries(st.sampled_from([*mlx.RULES, "lora_parameters.rnk", "wand"]), odd, min_size=1))
def test_every_mlx_key_is_mapped_or_left(given):
    nested = {"iters": 10}
    for key, value in given.items():
        section, _, name = key.rpartition(".")
        if section and not isinstance(nested.setdefault(section, {}), dict):
            continue
        (nested[section] if section else nested)[name] = value
    found = read(nested)
    keys = [one.key for one in (*found.mapped, *found.left)]
    assert len(keys) == len(set(keys))
    assert set(flat(nested)) <= set(keys)
    assert recipe(found).finetune.chain()


@given(st.dictionaries(st.sampled_from([*trainer.RULES, "lora_alfa"]), odd))
def test_every_trainer_key_is_mapped_or_left(given):
    found = read({"model_name": "gpt2", "per_device_train_batch_size": 2, **given})
    keys = [one.key for one in (*found.mapped, *found.left)]
    assert len(keys) == len(set(keys))
    assert set(given) <= set(keys)
    assert recipe(found).finetune.chain()


@given(st.integers(-1, 40), st.integers(1, 64), st.floats(0.5, 64), st.sampled_from([None, "linear_schedule"]))
def test_layers_rank_scale_and_rates(layers, rank, scale, schedule):
    data = {"num_layers": layers, "iters": 500, "lora_parameters": {"rank": rank, "scale": scale}}
    if schedule:
        data["lr_schedule"] = {"name": schedule, "arguments": [1e-4, 1e-6, 500]}
    own = recipe(read(data)).finetune
    assert (own.layers, own.rank, own.scaling, own.modules) == (max(layers, 0), rank, scale, ["all-linear"])
    assert (own.schedule, own.warmup) == ("linear" if schedule else "constant", 0)
    assert own.rate == (1e-4 if schedule else 1e-5)


def test_what_is_no_recipe_is_refused():
    for data in ({}, {"name": "x", "corpus": {"files": []}}):
        with pytest.raises(RecipeError, match="no recipe that can be read"):
            read(data)


def test_writing_keeps_the_rest_and_lets_nothing_hide_what_is_new(tmp_path):
    (tmp_path / "lora.yaml").write_text(LORA)
    text = "# mine\nname: a  # b\nfinetune:\n  epochs: 3   # passes\n  report_every: 7\nreview:\n  port: 9000\n"
    (tmp_path / "poet.yaml").write_text(text)
    done = bring(tmp_path / "lora.yaml", tmp_path, write=True)
    made = load(tmp_path / "poet.yaml")
    assert (made.finetune.epochs, made.finetune.steps, made.review.port) == (0, 1000, 9000)
    new = (tmp_path / "poet.yaml").read_text()
    assert new.startswith("# mine\nname: a  # b\nfinetune:\n  epochs: 0   # passes\n  report_every: 20\n")
    assert done.text in with_values("", done.found.values)
    (tmp_path / "poet.yaml").write_text("finetune:\n  stpes: 3\n")
    with pytest.raises(RecipeError, match="stpes"):
        bring(tmp_path / "lora.yaml", tmp_path, write=True)
    assert (tmp_path / "poet.yaml").read_text() == "finetune:\n  stpes: 3\n"
