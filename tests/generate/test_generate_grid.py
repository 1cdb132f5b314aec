from hypothesis import given
from hypothesis import strategies as st

from poetune.generate.grid import cells, eligible, filled, missing
from poetune.ports import Written
from poetune.records import Candidate, Model, Prompt, Sampling

BASE = Model("base", "echo", "starter")
STEPS = [Model("checkpoint", "echo", "starter", run="r", step=step) for step in (100, 200, 300, 400)]
PROMPTS = [Prompt(theme, template) for theme in ("rain", "雨") for template in ("plain.v1", "airy.v1")]


def grid(models=(BASE, *STEPS), prompts=PROMPTS, per_cell=2, seed=0):
    return list(cells(models, prompts, Sampling(), per_cell, seed))


def test_every_combination_is_one_cell_with_an_id_of_its_own():
    found = grid()
    assert len(found) == len({cell.id for cell in found}) == 5 * 4 * 2
    assert [cell.model for cell in found[:8]] == [BASE] * 8
    assert all(c.id == Candidate.cell(c.model.id, c.prompt.id, c.sampling, c.seed) for c in found)
    assert grid(models=(BASE, BASE), prompts=PROMPTS * 2) == found[:8]


def test_all_models_write_a_prompt_from_the_same_seeds():
    by_model = {m.id: [c.seed for c in grid() if c.model == m] for m in (BASE, *STEPS)}
    assert len({tuple(seeds) for seeds in by_model.values()}) == 1
    assert len(set(by_model[BASE.id])) == 8
    assert {c.seed for c in grid(seed=1)}.isdisjoint(by_model[BASE.id])


@given(st.integers(1, 3), st.integers(1, 3), st.randoms(use_true_random=False))
def test_a_rerun_fills_only_what_is_missing(per_cell, more, chance):
    first = grid(per_cell=per_cell)
    written = {cell.id for cell in first if chance.random() < 0.5}
    todo = missing(grid(per_cell=per_cell), written)
    assert [c.id for c in first if c.id not in written] == [c.id for c in todo]
    assert missing(first, [c.id for c in first]) == []
    added = missing(grid(per_cell=per_cell + more), [c.id for c in first])
    assert {cell.k for cell in added} == set(range(per_cell, per_cell + more))


def test_checkpoints_are_chosen_by_step_and_the_base_stays():
    assert eligible([BASE, *STEPS], from_step=300) == [BASE, *STEPS[2:]]
    assert eligible([*STEPS[::-1], BASE], latest=1) == [STEPS[3], BASE]
    assert eligible(STEPS) == STEPS


def test_a_candidate_holds_its_opening_and_loses_its_title_line():
    opened = grid(prompts=[Prompt("", opening="床前明月光，")])[0]
    candidate = filled(opened, Written(opened.id, "疑是地上霜。", "eos", 7), 2)
    assert (candidate.text, candidate.id, candidate.round) == ("床前明月光，疑是地上霜。", opened.id, 2)
    themed = grid()[0]
    candidate = filled(themed, Written(themed.id, "《夜雨》\n\n一\n二", "length", 5))
    assert (candidate.title, candidate.text, candidate.stop) == ("夜雨", "一\n二", "length")
    assert filled(themed, Written(themed.id, "one\ntwo", "eos", 5)).title == "rain"
