import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import ReviewError
from poetune.rounds.exchange import Pair, nested, read_pairs

WORDS = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=4).map("\n".join)), min_size=1, max_size=9))
def test_what_goes_out_as_nested_pairs_comes_in_again(found):
    pairs = [Pair(theme, text) for theme, text in found]
    made = read_pairs(nested(pairs))
    assert sorted(made.pairs, key=repr) == sorted(pairs, key=repr)
    assert made.skipped == 0
    groups = json.loads(nested(pairs))
    assert [group[0][0] for group in groups] == list(dict.fromkeys(theme for theme, _ in found))


def test_rows_of_a_reviewer_and_of_a_ranking_are_read_however_they_lie():
    rows = [
        {"outer_idx": 0, "inner_idx": 0, "image": "河", "response": "河水\n很慢", "accepted": True, "edited": False}
    ]
    assert read_pairs(json.dumps(rows)).pairs == (Pair("河", "河水\n很慢", None, True),)
    ranked = {
        "河": [{"title": "河", "checkpoint_number": 1203, "body": "一\n二"}],
        "雨": [["雨", "三\n四"], ["雨", " "]],
    }
    found = read_pairs(json.dumps(ranked))
    assert found.pairs == (Pair("河", "一\n二", 1203), Pair("雨", "三\n四"))
    assert found.skipped == 1


@pytest.mark.parametrize("text", ["", "[", "[[]]", '{"a": 1}', '[["only"]]', "[1, null]"])
def test_a_file_without_pairs_is_refused(text):
    with pytest.raises(ReviewError):
        read_pairs(text)
