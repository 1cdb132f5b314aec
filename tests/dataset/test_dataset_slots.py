import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.dataset import build, filled, load_template, slots
from poetune.errors import RecipeError
from poetune.recipe import Dataset
from poetune.records import Conversation, Poem, Prompt

SYSTEM = "Write a poem.\nPoet: {author}\nEmotion: {Emotion}"
POEMS = [
    Poem("a b\nc d", "T", "Emily Dickinson", tags={"emotion": "Joy"}),
    Poem("e f\ng h", "U", "John Donne", tags={"emotion": "Fear"}),
    Poem("i j\nk l", "V", ""),
]


def test_a_poem_fills_its_slots_and_lines_without_a_value_go():
    built = build(POEMS, Dataset(system=SYSTEM), [load_template("plain.v1")])
    assert [p.system for p in built.prompts] == [
        "Write a poem.\nPoet: Emily Dickinson\nEmotion: Joy",
        "Write a poem.\nPoet: John Donne\nEmotion: Fear",
        "Write a poem.",
    ]
    with pytest.raises(RecipeError, match=r"did you mean `\{emotion\}`"):
        build(POEMS, Dataset(system="{emotoin}"), [load_template("plain.v1")])


def test_plain_verse_is_asked_nothing():
    built = build(POEMS[:1], Dataset(system=SYSTEM, templates=["verse.v1"]), [load_template("verse.v1")])
    (row,) = built.examples
    assert (row.plain, row.conversation, row.completion) == (True, Conversation(), "a b\nc d")
    assert built.prompts == (Prompt("", "verse.v1"),)


@given(st.text(), st.dictionaries(st.sampled_from(["author", "b c"]), st.text(min_size=1)))
def test_text_without_slots_stays_and_values_are_not_slots_themselves(text, values):
    if not slots(text):
        assert filled(text, values) == text
    given_name = filled("by {author}", {"author": "{author} {b c}"})
    assert given_name == "by {author} {b c}"
