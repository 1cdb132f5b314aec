import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.verse.agreement import alpha
from poetune.verse.nearest import Neighbours
from poetune.verse.selfbleu import self_bleu
from poetune.verse.theme import ranked, speaks, spoken

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section E: four observers, twelve units
PUBLISHED = [[1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4], [4, 4, 4, 4]]
PUBLISHED += [[1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3]]


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_as_published(level, published):
    assert alpha(PUBLISHED, level) == pytest.approx(published, abs=0.0006)


def test_alpha_is_none_where_nothing_was_read_twice_or_all_said_the_same():
    assert alpha([[1], [2]]) is None
    assert alpha([[3, 3], [3, 3]]) is None
    assert alpha([[1, 1], [5, 5]]) == 1


@given(st.lists(st.lists(st.integers(1, 5), max_size=4), max_size=8))
def test_alpha_never_passes_one(readings):
    found = alpha(readings)
    assert found is None or found <= 1 + 1e-9


def test_self_bleu_tells_copies_from_strangers_at_one_size():
    draw = random.Random(0)
    apart = [" ".join(draw.choice("abcdefghijklmnopqrstuvwxyz") * 3 for _ in range(30)) for _ in range(10)]
    alike = ["the rain is on the roof and the lamp is low tonight again"] * 10
    assert self_bleu(alike, 10) == pytest.approx(1)
    assert self_bleu(apart, 10) < 0.35
    assert self_bleu(apart, 11) is None


def test_the_nearest_poem_is_the_one_that_shares_most():
    found = Neighbours({"a": "the rain falls on the roof", "b": "salt on the road", "c": "山月照人"})
    near = found.nearest("rain falls on a roof")
    assert near.key == "a"
    assert 0.3 < near.likeness < 1
    assert found.nearest("the rain falls on the roof").likeness == pytest.approx(1)
    assert found.nearest("zzz") is None
    assert found.nearest("山中").key == "c"


def test_a_poem_speaks_of_its_theme_in_any_ending_and_chance_is_what_others_would_say():
    assert speaks("It rained on the hurrying city", "rain")
    assert speaks("cities of salt", "the city")
    assert speaks("春江花月夜", "月")
    assert not speaks("salt on the road", "rain")
    found = spoken(["rain again", "salt and rain", "fog"], ["rain", "salt", "fog"])
    assert (found.poems, found.own) == (3, 3)
    assert found.chance == pytest.approx((0 + 1 / 2 + 0) / 3)
    assert spoken(["x"], [""]).share is None


def test_own_themes_rank_first_or_by_chance():
    assert ranked([[0.9, 0.1, 0.2], [0.1, 0.8, 0.3], [0.0, 0.1, 0.5]]) == 1
    assert ranked([[0.5, 0.5], [0.5, 0.5]]) == 0.5
    assert ranked([[0.5]]) is None
