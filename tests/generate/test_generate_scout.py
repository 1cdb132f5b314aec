"""Scouting: which themes, who beats whom, how sure that is."""

import random

from hypothesis import given
from hypothesis import strategies as st

from poetune.generate.scout import Seen, by_kind, chosen, points, ranked
from poetune.generate.themes import Theme, bundled

THEMES = [f"t{i}" for i in range(8)]


def worlds(quality: dict[str, float], noise: float, seed: int = 0, themes: list[str] = THEMES) -> list[Seen]:
    chance = random.Random(seed)
    return [
        Seen(model, template, theme, "k" + theme[-1], worth + chance.gauss(0, noise))
        for theme in themes
        for model, worth in quality.items()
        for template in ("plain.v1", "airy.v1")
    ]


def test_a_tenth_of_the_themes_from_every_group():
    themes = bundled("en")
    few = chosen(themes, per_cell=1, seed=0)
    assert len(few) == -(-len(themes) // 10)
    assert len({theme.group for theme in few}) == 4
    assert len(chosen(themes, per_cell=3, seed=0)) == -(-3 * len(themes) // 10)
    assert chosen(themes[:2], 1, 0) in ([*themes[:2]], [*themes[:2]][::-1])
    assert chosen(themes, 1, 0) == chosen(themes[::-1], 1, 0)
    assert chosen([Theme("a")], 50, 0) == [Theme("a")]
    assert chosen([], 1, 0) == []


def test_the_better_checkpoint_leads_and_a_clearly_worse_one_is_left_behind():
    rows = ranked(worlds({"late": 1.0, "mid": 0.9, "early": -2.0}, noise=0.3), lambda one: one.model)
    assert {row.name for row in rows[:2]} == {"late", "mid"}
    assert (rows[2].name, rows[2].kept, rows[2].poems) == ("early", False, 16)
    assert all(row.low <= row.mean <= row.high for row in rows)
    templates = ranked(worlds({"late": 1.0, "mid": 0.9}, noise=0.3), lambda one: one.template)
    assert all(row.kept for row in templates)


def test_equals_are_seldom_left_behind():
    quality = dict.fromkeys("abcdefghijkl", 0.0)
    contests = [ranked(worlds(quality, 1, seed, THEMES[:3]), lambda one: one.model) for seed in range(20)]
    assert sum(any(not row.kept for row in rows) for rows in contests) <= 3


def test_whom_a_gate_holds_back_comes_last():
    seen = [
        Seen("a", "p", "rain", "", 0.1),
        Seen("b", "p", "rain", "", None),
        Seen("c", "p", "rain", "", None),
        Seen("a", "p", "salt", "", 2.0),
    ]
    assert points(seen) == [1.0, 0.25, 0.25, 0.5]
    rows = ranked(seen, lambda one: one.model)
    assert (rows[0].name, rows[0].passed, rows[-1].passed) == ("a", 1.0, 0.0)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.none() | st.floats(-3, 3)), max_size=20))
def test_points_of_a_theme_are_a_half_on_average(rows):
    seen = [Seen(model, "p", theme, "", worth) for model, theme, worth in rows]
    by_theme: dict[str, list[float]] = {}
    for one, point in zip(seen, points(seen), strict=True):
        by_theme.setdefault(one.theme, []).append(point)
    assert all(abs(sum(found) / len(found) - 0.5) < 1e-9 for found in by_theme.values())
    table = by_kind(seen)
    assert sum(count for kinds in table.values() for _, count in kinds.values()) == len(seen)
