"""A sweep's settings: crossed or listed, each checked as the recipe is, none without effect."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import RecipeError
from poetune.finetune import sweep_settings
from poetune.recipe import Finetune, Stage

LAST = Finetune(rank=2, steps=9).chain()[-1]
GRID = st.fixed_dictionaries(
    {},
    optional={
        "rank": st.lists(st.integers(1, 64), min_size=1, max_size=3, unique=True),
        "rate": st.lists(st.floats(1e-6, 1e-2), min_size=1, max_size=3, unique=True),
        "modules": st.lists(st.lists(st.sampled_from("qkvo"), min_size=1, max_size=3), min_size=1, max_size=2),
    },
)


@given(GRID.filter(lambda grid: len({tuple(m) for m in grid.get("modules", [])}) == len(grid.get("modules", []))))
def test_a_grid_is_crossed_and_nothing_else_changes(grid):
    if not grid:
        return
    found = sweep_settings(grid, LAST)
    assert len(found) == math.prod(len(values) for values in grid.values())
    assert len({each.label for each in found}) == len({each.stage.model_dump_json() for each in found})
    for each in found:
        assert {name: getattr(each.stage, name) for name in grid} == dict(each.changes)
        assert each.stage.model_copy(update={name: getattr(LAST, name) for name in grid}) == LAST


def test_a_list_is_tried_one_by_one_and_a_swept_key_has_its_effect():
    listed = [{"batch": 2, "accumulation": 4}, {"modules": ["q_proj", "v_proj"], "rank": 4}, {}]
    labels = [each.label for each in sweep_settings(listed, LAST)]
    assert labels == ["batch=2 accumulation=4", "modules=q_proj,v_proj rank=4", "as it is"]
    scaled = Stage(scale=8.0, epochs=2.0)
    by_alpha, by_steps = sweep_settings([{"alpha": 4.0}, {"steps": 3}], scaled)
    assert by_alpha.stage.scaling == 0.5
    assert by_steps.stage.total(100) == 3


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ({"rnk": [4]}, "unknown key `rnk`; did you mean `rank`"),
        ({"name": ["a"]}, "unknown key `name`"),
        ({"rank": [0]}, "`rank`: input should be greater than or equal to 1, not 0"),
        ({"rank": [4, 4]}, "rank=4 is there twice"),
        ([{"rank": 2}, {}], "is there twice"),
        ({}, "holds no settings"),
        ({"rank": []}, "holds no settings"),
        ([], "holds no settings"),
    ],
)
def test_a_wrong_sweep_is_named(sweep, said):
    with pytest.raises(RecipeError, match=said):
        sweep_settings(sweep, LAST)
