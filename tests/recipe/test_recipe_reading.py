"""poet.yaml: read strictly, with errors that name the line and the near key."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import RecipeError
from poetune.recipe import Recipe, load, resolve


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "poet.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_exponents_without_a_dot_are_numbers(tmp_path: Path) -> None:
    recipe = load(written(tmp_path, "finetune:\n  rate: 1e-5\n  rate_final: 1E-7\n"))
    assert (recipe.finetune.rate, recipe.finetune.rate_final) == (1e-5, 1e-7)


def test_an_unknown_key_names_its_line_and_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"poet\.yaml line 3: unknown key `finetune.warm_up`; did you mean `warmup`"):
        load(written(tmp_path, "name: a\nfinetune:\n  warm_up: 3\n"))


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        (
            "finetune:\n  steps: -3\n",
            [],
            "line 2: `finetune.steps`: input should be greater than or equal to 1, not -3",
        ),
        ("dataset:\n  shares: [80, 10, 20]\n", [], "line 1: `dataset`: shares must be two or three figures"),
        ("dataset:\n  shares: [80, 30]\n", [], "shares must be two or three figures"),
        ("dataset:\n  shares: [80]\n", [], "line 2: .* a figure is missing here"),
        ("finetune:\n  rate: 1\n  steps: 5\n  rate: 2\n", [], "line 4: `rate` is there twice; keep one of them"),
        ("finetune: 5\n", [], "should be a section"),
        ("", ["rate=1"], "unknown key `rate`; did you mean `finetune.rate`"),
        ("a: [\n b", [], r"poet\.yaml line 2: "),
        ("- a\n", [], "must be a list of `key: value`"),
        ("", ["finetune.rate=fast"], r"finetune\.rate \(given by --set\)"),
        ("", ["finetune.rate"], "--set finetune.rate: write it as"),
        ("seed: 1\n", ["seed.x=1"], "seed is a value, not a section"),
        (
            "finetune:\n  rate: 1\n",
            ["finetune.rte=2"],
            r"\(given by --set\): unknown key `finetune.rte`; did you mean `rate`",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, overrides: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load(written(tmp_path, text), overrides)


def test_an_empty_section_has_its_defaults_and_two_shares_leave_the_test_out(tmp_path: Path) -> None:
    recipe = load(written(tmp_path, "finetune:\n  # steps: 5\ndataset: {shares: [80, 20]}\n"))
    assert recipe.finetune.steps == 200
    assert recipe.dataset.shares == (80, 20, 0)


def test_overrides_win_and_reach_into_absent_sections(tmp_path: Path) -> None:
    path = written(tmp_path, "finetune: {steps: 10}\n")
    recipe = load(path, ["finetune.steps=20", "dataset.shares=[80, 5, 15]", "corpus.where.age=Renaissance"])
    assert recipe.finetune.steps == 20
    assert recipe.dataset.shares == (80, 5, 15)
    assert recipe.corpus.where == {"age": "Renaissance"}


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="poetune init"):
        load(tmp_path / "poet.yaml")


def test_scale_is_alpha_over_rank_and_overrides_it() -> None:
    assert resolve({"finetune": {"rank": 4, "alpha": 8}}).finetune.scaling == 2
    assert resolve({"finetune": {"rank": 4, "scale": 8.0}}).finetune.scaling == 8


KEYS = st.sampled_from([*Recipe.model_fields, "finetune.rate", "judge.batch", "dataset.shares", "zzz", "a.b.c"])
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.integers(), max_size=3)
)


@given(KEYS, VALUES)
def test_any_override_gives_a_recipe_or_one_sentence(key: str, value: object) -> None:
    override = f"{key}={yaml.safe_dump(value, allow_unicode=True)}"
    try:
        found: Recipe | str = resolve({}, [override])
    except RecipeError as error:
        found = str(error)
    assert isinstance(found, Recipe) or "\n" not in found
