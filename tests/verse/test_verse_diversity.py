import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.verse.diversity import opening, openings_at, spread, spread_within
from poetune.verse.lines import units

WORDS = st.lists(st.sampled_from(["rain", "lamp", "salt", "the", "雨", "河"]), min_size=1, max_size=6).map(" ".join)


def features(text):
    found = units(text)
    return {*found, *itertools.pairwise(found)}


@given(st.lists(WORDS, min_size=2, max_size=6))
def test_the_mean_distance_is_that_of_all_pairs(texts):
    sets = [features(text) for text in texts]
    pairs = [1 - len(a & b) / math.sqrt(len(a) * len(b)) for a, b in itertools.combinations(sets, 2)]
    assert spread(texts) == pytest.approx(sum(pairs) / len(pairs), abs=1e-9)


def test_the_distance_ends_at_the_same_words_and_at_none_shared():
    assert spread(["The rain fell.", "the RAIN\nfell"]) == pytest.approx(0)
    assert spread(["the rain fell", "河自己走"]) == 1
    assert spread(["alone", ""]) is None
    assert spread_within({"a": ["x y", "x y"], "b": ["x", "z"], "c": ["alone"]}) == pytest.approx(0.5)
    assert spread_within({"a": ["x"]}) is None


@given(
    st.lists(st.sampled_from(["I have a dog", "i have a  cat!", "Rain.", "雨落，灯低"]), min_size=1, max_size=7),
    st.data(),
)
def test_openings_are_the_mean_over_all_choices_of_that_size(texts, data):
    size = data.draw(st.integers(1, len(texts)))
    choices = list(itertools.combinations([opening(text, 3) for text in texts], size))
    expected = sum(len(set(chosen)) / size for chosen in choices) / len(choices)
    assert openings_at(texts, size, 3) == pytest.approx(expected)


def test_an_opening_is_the_first_line_or_its_first_words():
    assert opening("\n  ...\nThe Plate, is wet\nline two") == "the plate is wet"
    assert opening("The plate is wet", 2) == "the plate"
    assert opening("雨落在瓦上，灯很低。") == "雨 落 在 瓦 上"
    assert openings_at(["a", "b"], 3) is None
