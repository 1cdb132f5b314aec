import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import ReviewError
from poetune.records import Candidate, Poem, Prompt, Sampling
from poetune.rounds.harvest import Kept, harvest

RAIN = Prompt("rain")
PROMPTS = {RAIN.id: RAIN}


def written(key, text, title=""):
    return Candidate(key, "m1", RAIN.id, Sampling(), 0, text, title, "eos", 9)


def test_edits_come_back_with_parent_theme_and_round():
    (poem,) = harvest(
        [written("c1", "as written", "Old")], PROMPTS, [Kept("c1", "New", "雨落在\r\n石阶上  \r\n\r\n  深\r\n")], 2
    )
    assert (poem.text, poem.title) == ("雨落在\n石阶上\n\n  深", "New")
    assert (poem.parent, poem.origin, poem.theme, poem.language) == ("c1", "round:2", "rain", "zh")


def test_an_emptied_title_stays_empty_and_an_untouched_body_stays_as_written():
    (poem,) = harvest([written("c1", "the rain\ncame in", "Old")], PROMPTS, [Kept("c1", title="")], 1)
    assert (poem.title, poem.text) == ("", "the rain\ncame in")


def test_nothing_enters_twice():
    made = [written("c1", "one line here"), written("c2", "one line here\n"), written("c3", "from the corpus")]
    kept = [Kept("c1"), Kept("c2"), Kept("c3"), Kept("c1")]
    first = harvest(made, PROMPTS, kept, 1, [Poem("from the corpus")])
    assert [poem.parent for poem in first] == ["c1"]
    assert harvest(made, PROMPTS, [Kept("c1", body="edited later")], 1, first) == []


@pytest.mark.parametrize(("kept", "said"), [(Kept("c9"), "c9"), (Kept("c1", body=" \n "), "without any text")])
def test_what_cannot_enter_is_refused(kept, said):
    with pytest.raises(ReviewError, match=said):
        harvest([written("c1", "a line")], PROMPTS, [kept], 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x y", "x y ", "z", "w\r\nv"])), max_size=8))
def test_texts_and_parents_are_unique_whatever_is_kept(decisions):
    made = [written(key, "text of " + key) for key in "abc"]
    poems = harvest(made, PROMPTS, [Kept(key, body=body) for key, body in decisions], 1)
    assert len({poem.text for poem in poems}) == len(poems) == len({poem.parent for poem in poems})
