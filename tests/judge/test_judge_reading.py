import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poetune.judge.reading import read

LABELS = ("A", "B", "C")

READABLE = [
    '{"reason": "C sings", "ranking": ["C", "A", "B"]}',
    '```json\n{"reason": "x", "ranking": ["C", "A", "B"]}\n```',
    '<think>A first? {"ranking": ["A", "B", "C"]}</think>\n{"reason": "x", "ranking": ["c", "Poem A", "B"]}',
    'half a thought </think> {"ranking": "C > A > B"}',
    "C is the only one that turns.\n\nRANKING: C > A > B",
    "**Ranking:** C > A > B.",
    "ranking： [C] ＞ [A] ＞ [B]",
    'Here: {"ranking": ["C", "A", "B"]} and again {"ranking": ["C", "A", "B"]}',
]
UNREADABLE = [
    "",
    "<think>RANKING: C > A > B",
    "I like C best.",
    "RANKING: C > A",
    "RANKING: C > A > A",
    "RANKING: C > A = B",
    "RANKING: A > B > C > D",
    "RANKING: A > B > C\nRANKING: C > A > B",
    '{"ranking": ["A", "B"]}',
    '{"ranking": [1, 2, 3]}',
    '{"ranking": {"A": 1}}',
    '{"ranking": ["A", "B", "C"]} {"ranking": ["C", "A", "B"]}',
    '{"reason": "\\ud800", "ranking": null}',
    '{"a":' * 5000,
    "[" * 19000,
]


@pytest.mark.parametrize("text", READABLE)
def test_readable(text):
    reading = read(text, LABELS)
    assert (reading.ranking, reading.problem) == (("C", "A", "B"), "")


@pytest.mark.parametrize("text", UNREADABLE)
def test_unreadable_is_invalid_with_a_reason(text):
    reading = read(text, LABELS)
    assert reading.ranking == ()
    assert reading.problem


def test_the_reason_is_kept():
    assert read(READABLE[0], LABELS).reason == "C sings"
    assert "turns" in read(READABLE[4], LABELS).reason


parts = st.sampled_from(["RANKING:", *"ABC", " > ", ",", "\n", "<think>", "</think>", "```", *'"{}[]'])
answers = st.one_of(
    st.text(),
    st.lists(parts, max_size=25).map("".join),
    st.fixed_dictionaries({"ranking": st.recursive(st.sampled_from([*"ABCD", 1, None]), st.lists)}).map(json.dumps),
)


@settings(max_examples=300, deadline=None)
@given(answers)
def test_never_raises_and_never_returns_what_is_no_permutation(text):
    reading = read(text, LABELS)
    assert reading.ranking == () or sorted(reading.ranking) == sorted(LABELS)
    assert bool(reading.problem) == (reading.ranking == ())
    (reading.reason + reading.problem).encode()


@given(st.permutations(LABELS), st.text(max_size=60))
def test_a_plain_json_answer_is_always_read(order, reason):
    said = json.dumps({"reason": reason.encode("utf-8", "ignore").decode(), "ranking": order})
    if "think" not in said:
        assert read(said, LABELS).ranking == tuple(order)
