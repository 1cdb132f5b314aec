import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import CorpusError
from poetune.verse.authorship import FEWEST, Authors
from poetune.verse.correlation import spearman
from poetune.verse.ridge import STRENGTHS, fitted
from poetune.verse.styleaxis import StyleAxis
from poetune.verse.stylespace import LONGEST, StyleSpace, start

DRAW = random.Random(5)
POOLS = {"Anne": "salt wind harbour gull rope and the of", "Ben": "lamp stair letter dust clock and the of"}


def poem(pools, height=6, width=5):
    words = [word for name in pools for word in POOLS[name].split()]
    return "\n".join(" ".join(DRAW.choice(words) for _ in range(width)) + "," for _ in range(height))


POEMS = {name: [poem([name]) for _ in range(30)] for name in POOLS}


def test_poets_are_told_apart_and_the_probabilities_mean_what_they_say():
    found = Authors({**POEMS, "Few": ["a line"] * (FEWEST - 1)})
    assert found.names == ("Anne", "Ben")
    assert found.left_out == ("Few",)
    assert found.tested.poems == 60
    assert found.tested.accuracy > 0.9
    assert found.tested.calibration < 0.2
    named = found.attribute([poem(["Anne"]), poem(["Ben"]), "", "山月"])
    assert [each.author for each in named[:2]] == ["Anne", "Ben"]
    for each in named:
        assert sum(each.probabilities) == pytest.approx(1)


def test_poets_of_one_voice_are_not_told_apart():
    same = [poem(["Anne", "Ben"]) for _ in range(60)]
    found = Authors({"A": same[::2], "B": same[1::2]})
    assert 0.25 < found.tested.accuracy < 0.75
    assert max(found.attribute([poem(["Anne"])])[0].probabilities) < 0.9


def test_one_poet_or_too_few_poems_is_one_sentence():
    with pytest.raises(CorpusError, match=r"two with at least 10 poems each, and the corpus has 1; add"):
        Authors({"Anne": POEMS["Anne"]})
    with pytest.raises(CorpusError, match=r"needs 10 poems of each, and there are 30 and 2; add"):
        StyleAxis(POEMS["Anne"], POEMS["Ben"][:2])


def test_a_position_is_0_and_1_at_the_poets_and_between_for_mixed_poems():
    axis = StyleAxis(POEMS["Anne"], POEMS["Ben"])
    assert axis.overlap < 0.05
    mixed = axis.positions([poem(["Anne", "Ben"], 12) for _ in range(20)])
    assert np.mean(axis.positions([poem(["Anne"]) for _ in range(20)])) == pytest.approx(0, abs=0.15)
    assert np.mean(mixed) == pytest.approx(0.5, abs=0.15)
    assert np.mean(axis.positions([poem(["Ben"]) for _ in range(20)])) == pytest.approx(1, abs=0.15)


def test_leaving_one_out_is_what_fitting_without_it_gives():
    chance = np.random.default_rng(0)
    points, targets = chance.normal(size=(12, 4)), chance.normal(size=(12, 2))
    whole = fitted(points, targets)
    gaps = []
    for strength in STRENGTHS:  # the strength that was chosen must explain every row
        gap = 0.0
        for i in range(12):
            rest = [j for j in range(12) if j != i]
            x = np.hstack([points[rest], np.ones((11, 1))])
            w = x.T @ np.linalg.solve(x @ x.T + strength * np.eye(11), targets[rest])
            gap = max(gap, float(np.abs(np.append(points[i], 1) @ w - whole.held_out[i]).max()))
        gaps.append(gap)
    assert min(gaps) < 1e-8


@given(st.lists(st.text(st.sampled_from("ab山, \n—.\x00😀"), max_size=40), min_size=1, max_size=6))
def test_any_text_is_a_finite_point(texts):
    points = StyleSpace(texts).of([*texts, "", "never seen"])
    assert points.shape[0] == len(texts) + 2
    assert np.isfinite(points).all()


def test_a_long_poem_is_cut_at_a_line():
    text = "\n".join(["nine words are in this line of a poem"] * 90)
    assert len(start(text)) <= LONGEST
    assert text.startswith(start(text) + "\n")


def test_spearman_shares_ranks_among_ties():
    assert spearman([1, 2, 3, 4], [10, 20, 30, 99]) == pytest.approx(1)
    assert spearman([1, 2, 2, 3], [3, 2, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, 2, 3, 4, 5], [1, 2, 3, 5, 4]) == pytest.approx(0.9)
