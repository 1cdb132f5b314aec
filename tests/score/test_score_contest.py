from hypothesis import given
from hypothesis import strategies as st

from poetune.score.contest import FEWEST, Tally, duels, in_both_orders, standing
from poetune.verse.shares import wilson

TALLIES = st.builds(Tally, st.integers(0, 20), st.integers(0, 20), st.integers(0, 9))


def test_a_judge_that_changes_its_mind_with_the_order_is_even_and_one_that_says_nothing_is_left_out():
    assert in_both_orders(["a", "b"], ["a", "b"], "a", "b") == "first"
    assert in_both_orders(["b", "a"], ["b", "a"], "a", "b") == "second"
    assert in_both_orders(["a", "b"], ["b", "a"], "a", "b") == "even"
    assert in_both_orders([], ["b", "a"], "a", "b") == "none"
    assert Tally().and_also("none").whole == 0


@given(st.dictionaries(st.sampled_from([("a", "b"), ("b", "a"), ("a", "c"), ("b", "c")]), TALLIES))
def test_what_one_wins_the_others_lose(judged):
    found = duels(["a", "b", "c"], judged, {})
    votes = [standing(name, found)[0] for name in "abc"]
    assert sum(t.first for t in votes) == sum(t.second for t in votes)
    assert sum(t.whole for t in votes) == 2 * sum(t.whole for t in judged.values())


def test_a_share_has_an_interval_and_too_few_comparisons_have_none():
    few, many = Tally(FEWEST - 1, 0, 0), Tally(30, 8, 4)
    assert few.share is None
    assert few.interval is None
    low, high = many.interval
    assert low < many.share < high
    assert many.share == (30 + 2) / 42


def test_wilson_is_as_published():
    low, high = wilson(81, 263)  # Newcombe 1998, table I
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 20)[0] == 0
    assert round(wilson(0, 20)[1], 4) == 0.1611
    assert wilson(0, 0) is None
