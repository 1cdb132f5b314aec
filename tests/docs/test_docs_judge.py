"""The YAML of docs/judge.md is read as the page says."""

import re
from pathlib import Path

import yaml

from poetune.judge.funnel import funnel_calls
from poetune.judge.prompting import prompted
from poetune.judge.rubric import load_rubric, rubric_names
from poetune.ports import Block
from poetune.recipe import Judging, resolve

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "judge.md").read_text(encoding="utf-8")
RECIPE, RUBRIC = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_recipe_is_one() -> None:
    settings = resolve(yaml.safe_load(RECIPE)).judge
    assert (settings.prices["big-judge"].output, settings.most_money) == (10, 2)


def test_the_rubric_is_one_and_the_bundled_ones_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine.v1.yaml").write_text(RUBRIC, encoding="utf-8")
    rubric = load_rubric("mine.v1", tmp_path)
    assert "Does somebody do something?" in prompted(Block(("a",), ("",), ("x",)), rubric).system
    assert all(f"`{name}`" in PAGE for name in rubric_names())


def test_the_calls_are_those_of_the_page() -> None:
    assert f"{funnel_calls(1000, Judging())} for 1000 poems, {funnel_calls(40, Judging())} for 40" in PAGE
