"""What a mix says, and what cannot be read in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import RecipeError
from poetune.finetune.dialled import Step, mean_rho, single_rho, steps_csv
from poetune.finetune.mixing import Part, Way, matching, parsed, slug

NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)
SHARES = st.floats(-2, 2).map(lambda x: round(x, 3))


@given(st.dictionaries(st.tuples(NAMES, st.integers(0, 9)), SHARES, min_size=1, max_size=4))
def test_what_was_written_is_what_is_read(mix):
    parts = [Part(name, step, share) for (name, step), share in mix.items()]
    assert parsed(" , ".join(f"{p.label}={p.share:g}" for p in parts)) == parts


@pytest.mark.parametrize(
    ("mix", "words"),
    [
        ("", "names no adapter"),
        ("a=1,a=2", "twice"),
        ("a=1,b", "some adapters only"),
        ("a=x", "no adapter with its share"),
        ("=1", "no adapter with its share"),
        ("a=nan", "no adapter with its share"),
    ],
)
def test_a_mix_that_cannot_be_read_says_why(mix, words):
    with pytest.raises(RecipeError, match=words):
        parsed(mix)


def test_a_name_is_a_whole_one_or_one_of_its_words():
    stages = {"r3": "emily-dickinson", "r2": "emily-bronte", "r1": "emily-dickinson", "r0": "李白"}
    assert slug("Emily  DICKINSON") == "emily-dickinson"
    assert matching("Emily Dickinson", stages) == matching("dickinson", stages) == "r3"
    assert matching("李白", stages) == "r0"
    with pytest.raises(RecipeError, match="emily-dickinson or emily-bronte"):
        matching("emily", stages)
    with pytest.raises(RecipeError, match="there are emily-dickinson, emily-bronte, 李白"):
        matching("donne", stages)
    with pytest.raises(RecipeError, match="no way of blending"):
        Way("average")
    with pytest.raises(RecipeError, match="share of values"):
        Way("ties", density=0)


def test_the_steps_of_a_dial_are_correlated_poem_by_poem_and_on_average():
    spots = {0.0: (0.1, -0.2, 0.9), 0.5: (0.2, 0.8, 0.4), 1.0: (1.2, 0.3, 0.95)}
    steps = [Step(w, f"m{w:g}", p, 0.5, 0.25, 0.01, 1.0, 4.1, None) for w, p in spots.items()]
    assert mean_rho(steps) == pytest.approx(1.0)
    single = single_rho(steps)
    assert single is not None
    assert 0.3 < single < 0.7
    rows = steps_csv(steps).splitlines()
    assert rows[0].startswith("weight,poems,position,spread,model")
    assert rows[2].startswith("0.5,3,0.466667,")
    assert rows[2].endswith(",4.1,")
