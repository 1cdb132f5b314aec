"""A poet.yaml changed in place: the values wanted, everything else as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import RecipeError
from poetune.recipe import resolve
from poetune.recipe.editing import with_values
from poetune.recipe.yamltext import dump, parse

TEXT = """\
# A poet.
name: 'Wang Wei'   # who
base: starter

corpus:
  # where: {age: Renaissance}
  files:
    - a.csv
    # - b.csv
    - c.csv

dataset: {shares: [80, 20], system: ""}
finetune:
  steps: 200       # optimizer steps
  rate: 5e-4
  stages:
    - name: one    # first
      kind: dapt

# The end.
"""
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=12,
)


def test_values_change_and_remarks_stay():
    done = with_values(TEXT, {"finetune.steps": 1000, "name": "Li Bai", "corpus.files": ["d.csv"], "generate.beams": 5})
    assert "steps: 1000      # optimizer steps" in done
    assert "name: Li Bai       # who" in done
    assert "files: [d.csv]" in done
    assert done.endswith("# The end.\n\ngenerate:\n  beams: 5\n")
    assert done.index("beams") > done.index("stages")
    kept = [line for line in TEXT.splitlines() if "#" in line and "b.csv" not in line]
    assert [line.split("#")[1] for line in kept] == [line.split("#")[1] for line in done.splitlines() if "#" in line]
    added = with_values(TEXT, {"finetune.rank": 4}).splitlines()
    assert added[added.index("  rank: 4") - 1] == "      kind: dapt"


def test_what_cannot_be_set_in_place_is_refused():
    for text, key in (("{a: 1}", "b"), ("a: 1\n", "a.b"), ("a: &x 1\nb: *x\n", "a")):
        with pytest.raises(RecipeError, match=r"poet\.yaml"):
            with_values(text, {key: 2})


@given(
    st.sampled_from(
        ["name", "seed", "corpus.files", "corpus.limit", "dataset.system", "finetune.stages", "ship.author"]
    ),
    values,
)
def test_the_new_text_says_what_was_asked(key, value):
    before = parse(TEXT, "x")
    after = parse(with_values(TEXT, {key: value}), "x")
    *section, last = key.split(".")
    inner = after[section[0]] if section else after
    assert inner[last] == value
    for name, held in before.items():
        if name != (section or [last])[0]:
            assert after[name] == held
        elif section:
            assert {k: v for k, v in after[name].items() if k != last} == {k: v for k, v in held.items() if k != last}


@given(values)
def test_a_value_is_one_line_that_reads_back(value):
    line = dump(value)
    assert "\n" not in line
    assert parse(f"key: {line}\n", "x") == {"key": value}


@pytest.mark.parametrize("text", ["1e-5", "1e-7", "0.05", "2e20", "3.0"])
def test_numbers_look_as_people_write_them(text):
    assert dump(float(text)) == text


def test_no_is_a_word_and_true_is_true():
    assert parse("a: no\nb: true\nc: off\nd: False\n", "x") == {"a": "no", "b": True, "c": "off", "d": False}
    assert resolve({}, ["finetune.quantize=no", "corpus.mend_line_breaks=yes"]).corpus.mend_line_breaks
