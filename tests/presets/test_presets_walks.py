"""docs/recipes.md: each project's walk runs line by line, from its own kind of file to its own kind of result."""

import json
import os
import re
import shlex
from pathlib import Path

import pytest
import source_data as data
from click.testing import CliRunner
from documented import read_two

from poetune.cli.group import poetune
from poetune.judge.funnel import funnel_calls
from poetune.recipe import resolve
from poetune.recipe.editing import with_values
from poetune.recipe.presets import preset
from poetune.recipe.yamltext import parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
WALKS = {name: re.findall(r"^    \$ (.+)$", text, re.MULTILINE) for name, text in SECTIONS}
BASES = {
    "personal-zh": "Qwen2.5",
    "personal-zh-enriched": "Qwen2.5",
    "renaissance-love": "gpt-neo",
    "two-stage": "gpt2",
    "two-stage-deepseek": "deepseek-coder",
    "classical-zh": "Qwen1.5",
    "poetry-fusion": "Llama-3.2",
}
HUB = {
    "hub:merve/poetry": "poetry.csv",
    "hub:suayptalha/Poetry-Foundation-Poems": "poems.csv",
    "hub:isaacrehg/poetry-instructions": "instructions.jsonl",
}
SMALL = {"generate.max_tokens": 24, "generate.gates.use": [], "score.prompts": 2, "score.lengths": [12, 24]}
FEW = {"finetune.steps": 4, "finetune.warmup": 1, "finetune.checkpoint_every": 2, "finetune.validate_every": 2}
MOVED = {"finetune.epochs": 4, "finetune.rate": 1e-2, "finetune.sample_every": 0}  # or all stages write the same


def personal(folder):
    data.personal(folder)
    lora = "model: Qwen/Qwen2.5-7B-Instruct\nnum_layers: 12\niters: 1000\nlora_parameters: {rank: 4, scale: 8.0}\n"
    (folder / "lora2.yaml").write_text(lora, encoding="utf-8")
    kept = [[{"image": "湖", "response": "湖面\n没有字", "accepted": True}]]
    (folder / "updated_overall_poems.json").write_text(json.dumps(kept), encoding="utf-8")


def two_stage(folder):
    data.two_stage(folder)
    rows = [("Tyger Tyger, burning bright,", "7"), ("In the forests of the night,", "7"),
            ("Go and catch a falling star,", "8"), ("Get with child a mandrake root,", "8")]  # fmt: skip
    (folder / "lines.csv").write_text(data.table(("line", "gutenberg_id"), rows), encoding="utf-8")


PROJECTS = {
    "personal-zh": (personal, {**FEW, "generate.from_step": 2, "generate.themes": ["河", "雨"]}),
    "renaissance-love": (data.renaissance, {"finetune.checkpoint_every": 5}),
    "two-stage": (two_stage, {**MOVED, "finetune.sweep": [{"batch": 2, "epochs": 1}, {"batch": 4, "epochs": 2}]}),
    "classical-zh": (data.classical, {**FEW, "finetune.sweep": {"steps": [2, 4]}}),
    "poetry-fusion": (data.fusion, {**FEW, "finetune.accumulation": 1, "generate.themes": ["night"]}),
}


def test_five_projects_are_walked_with_their_figures():
    assert {name for name, lines in WALKS.items() if lines} == set(PROJECTS)
    judged = resolve(parse(preset("personal-zh").text, "personal-zh")).judge
    assert f"3,200 poems cost {funnel_calls(3200, judged)} calls" in PAGE


def ran(line, folder):
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(poetune, shlex.split(line)[1:])
    finally:
        os.chdir(before)


def begun(line, folder, small, files, figures):
    """`init` as the page has it, on a miniature of the preset's base; then the source's files, and small figures."""
    name, chosen = re.search(r"init (\S+) --preset (\S+)", line).groups()
    done = ran(f"{line} --model {small(BASES[chosen])} --engine torch", folder)
    recipe = folder / name / "poet.yaml"
    text = recipe.read_text(encoding="utf-8")
    for there, here in HUB.items():
        text = text.replace(there, here)
    recipe.write_text(with_values(text, {**SMALL, **figures}), encoding="utf-8")
    files(folder / name)
    return done


def adapted(documented):
    """The line without its remark, with a judge that is at hand, and with rounds that close on a few poems."""
    line = documented.partition("  #")[0].strip()
    if "--judge http" in line and "--dry-run" not in line:
        return re.sub(r"--judge \S+ --model \S+", "--judge simulated", line)
    if line.startswith("poetune rounds close"):
        return f"{line} --accept-guard copying --accept-guard diversity --accept-guard loss"
    return line


def walked(name, folder, small):
    """Run the walk; the folder that it ends in, and what every line printed."""
    files, figures = PROJECTS[name]
    said = {}
    for line in map(adapted, WALKS[name]):
        if line.startswith("cd "):
            folder = (folder / line[3:]).resolve()
            continue
        if line.startswith("poetune review"):
            read_two(f"{line} --no-browser --port 0", folder)
            continue
        init = line.startswith("poetune init")
        done = begun(line, folder, small, files, figures) if init else ran(line, folder)
        assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"
        said[line] = done.output
    return folder, said


def shipped(folder):
    """What the one bundle of a project holds."""
    (bundle,) = (path.parent for path in folder.rglob("DATA.md"))
    return {path.name for path in bundle.iterdir()}


pytestmark = [pytest.mark.torch, pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")]


def test_the_walk_of_personal_zh(tmp_path, small):
    folder, _ = walked("personal-zh", tmp_path, small)
    first = folder.parent / "my-poet"
    ranked = json.loads((first / "ranked_poems.json").read_text(encoding="utf-8"))
    assert {image for theme in ranked for image, _ in theme} == {"河", "雨"}
    accepted = (first / "data" / "accepted.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(accepted) == 2
    assert all(json.loads(row)["text"].startswith("<|im_start|>system") for row in accepted)
    assert "adapters.safetensors" in shipped(first)
    assert json.loads(ran("poetune corpus --json", folder).stdout)["total"] == 10


def test_the_walk_of_renaissance_love(tmp_path, small):
    folder, _ = walked("renaissance-love", tmp_path, small)
    assert "O fairest rose" in (folder / "samples.txt").read_text(encoding="utf-8")
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md"} <= shipped(folder)


def test_the_walk_of_two_stages(tmp_path, small):
    folder, said = walked("two-stage", tmp_path, small)
    losses = said["poetune score losses"]
    assert all(word in losses for word in ("base", "verse", "batch 4", "test", "bits/byte"))
    assert "2 new poems" in said["poetune corpus lines.csv --map line=text --join-lines-by gutenberg_id"]
    assert "model.safetensors" in shipped(folder)


def test_the_walk_of_classical_zh(tmp_path, small):
    folder, said = walked("classical-zh", tmp_path, small)
    first = 'poetune write --first-line "床前明月光，"'
    assert said[first].startswith("床前明月光，")
    assert said[first] != said[f"{first} --base"]
    assert "trained already" in said["poetune finetune"]  # by the sweep
    assert "adapter_model.safetensors" in shipped(folder)


def test_the_walk_of_poetry_fusion(tmp_path, small):
    folder, _ = walked("poetry-fusion", tmp_path, small)
    assert "Modelfile" in shipped(folder)
    assert list(folder.rglob("chapbook.html"))
