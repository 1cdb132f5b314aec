from hypothesis import given
from hypothesis import strategies as st

from poetune.records import Conversation, Example, Message
from poetune.rounds.mix import mix


def rows(poems, templates):
    return [
        Example(Conversation((Message("user", template),)), poem, split, poem)
        for poem, split in poems
        for template in "abcde"[:templates]
    ]


POEMS = st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(1, 50)), unique_by=lambda p: p[0], max_size=9)


@given(POEMS, st.integers(1, 4), st.floats(0, 0.9), st.floats(0.1, 1))
def test_every_original_stays_and_own_poems_keep_to_their_share(found, templates, most, weight):
    sizes = {f"p{number}": size for number, _, size in found}
    own = {f"p{number}" for number, mine, _ in found if mine}
    made = rows([(poem, "train") for poem in sizes], templates)
    mixed = mix(made, own, sizes, most, weight)
    kept = {row.id for row in mixed.rows}
    assert [row for row in made if row.id in kept] == list(mixed.rows)
    assert all(row.id in kept for row in made if row.poem not in own)
    tokens = sum(sizes[row.poem] for row in mixed.rows)
    mine = sum(sizes[row.poem] for row in mixed.rows if row.poem in own)
    assert mine <= most * tokens + 1e-6
    assert mixed.own_share * tokens == (mine if mine else 0) or abs(mixed.own_share * tokens - mine) < 1e-6
    assert mine <= weight * sum(sizes[poem] * templates for poem in own) + 1e-6
    assert set(mixed.weights) == own


def test_each_own_poem_keeps_a_row_before_any_keeps_two():
    made = rows([("o", "train"), ("a", "train"), ("b", "train"), ("held", "test")], 4)
    mixed = mix(made, {"a", "b"}, dict.fromkeys(["o", "a", "b", "held"], 10), 0.4)
    assert mixed.weights == {"a": 0.25, "b": 0.25}
    assert (round(mixed.offered, 3), round(mixed.own_share, 3)) == (0.667, 0.333)
    assert sum(row.split == "test" for row in mixed.rows) == 4
    assert mix(made, set(), {"o": 1, "a": 1, "b": 1}, 0.4).rows == tuple(made)
