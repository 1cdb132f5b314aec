from hypothesis import given
from hypothesis import strategies as st

from poetune.records import Conversation, Message
from poetune.rounds.preference import Choice, loss_for, rows

ASKED = {f"p{i}": Conversation((Message("user", f"theme {i // 2}"),), prefix="It ") for i in range(12)}
THEMES = {f"p{i}": f"theme {i // 2}" for i in range(12)}
CHOICES = st.lists(
    st.builds(
        Choice,
        st.sampled_from([*ASKED, "gone"]),
        st.sampled_from(["It rained.\nA line.", "A poem", " ", "It "]),
        st.sampled_from(["", "It snowed.", "A poem", "  "]),
        st.booleans(),
    ),
    max_size=30,
)


@given(CHOICES, st.floats(0, 0.9))
def test_a_theme_is_on_one_side_only_and_every_row_says_something(choices, held_out):
    found = rows(choices, ASKED, THEMES, held_out)
    assert len({row.id for row in found}) == len(found)
    sides = {}
    for row in found:
        sides.setdefault(THEMES[row.prompt], set()).add(row.split)
        assert row.completion.strip()
        assert not row.completion.startswith("It ")
        assert bool(row.rejected) != bool(row.liked)
        assert row.rejected.strip() != row.completion.strip()
    assert all(len(splits) == 1 for splits in sides.values())
    assert not found or any(row.split == "train" for row in found)
    assert (held_out == 0 or len(sides) < 5) or any(row.split == "validation" for row in found)


def test_pairs_are_taken_where_there_are_enough_of_them():
    assert (loss_for("auto", 100, 100), loss_for("auto", 99, 100)) == ("dpo", "kto")
    assert (loss_for("dpo", 1, 100), loss_for("kto", 900, 100)) == ("dpo", "kto")
