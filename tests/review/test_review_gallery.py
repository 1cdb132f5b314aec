"""Found again, taken out as files, and turned into preferences: text stays as it is."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from poetune.records import Candidate, Model, Prompt, Review, Sampling
from poetune.review.export import BETWEEN, as_csv, as_jsonl, as_text
from poetune.review.gallery import COLUMNS, Filter, choices, entries
from poetune.review.marks import marked
from poetune.review.preference import better, liked
from poetune.review.rates import by_draw, rates
from poetune.review.sides import pairs
from poetune.verse.overlap import LineIndex

HOSTILE = (
    "<script>alert(1)</script>\n\u202eright to left\x00\n"
    + "long " * 2000
    + "\n# 🌧️ *床前*\u2028明月光，\r\n=cmd|' /C calc'!A0"
)
MODELS = [Model("checkpoint", "echo", "b", name=f"checkpoint {n}", step=n) for n in (50, 100)]
PROMPTS = {p.id: p for p in (Prompt("rain", "airy.v1"), Prompt("salt", "deep.v1"))}


def candidate(name: str, text: str, model: int = 0, theme: str = "rain", seed: int = 0) -> Candidate:
    prompt = next(p.id for p in PROMPTS.values() if p.theme == theme)
    return Candidate(name, MODELS[model].id, prompt, Sampling(), seed, text, name.upper(), "eos", 3)


POEMS = {
    c.id: c
    for c in (
        candidate("a", "rain on rain"),
        candidate("b", "床前明月光", 1),
        candidate("c", HOSTILE, 1, "salt"),
        candidate("d", "salt on snow", 0, "salt"),
    )
}
ACTS = [
    Review("t1", "a", "accept", "ann", body="rain on tin", at="2026-01-01", reasons=("odd",), drawn="best"),
    Review("t2", "b", "reject", "ann", at="2026-01-02", drawn="explore"),
    Review("t3", "c", "accept", "bo", title="C2", note="Keep", at="2026-01-03", drawn="best"),
    Review("t4", "d", "skip", "bo", at="2026-01-04"),
]
FOUND = entries(ACTS, POEMS, MODELS, PROMPTS)


def fit(**wanted):
    return [entry.candidate for entry in FOUND if Filter(**wanted).fits(entry)]


def test_filters_and_search():
    assert fit() == ["c", "a"]
    assert fit(words="TIN rain") == ["a"]
    assert fit(words="keep") == ["c"]
    assert (fit(decision="reject"), fit(model="checkpoint 100"), fit(template="airy.v1")) == (["b"], ["c"], ["a"])
    assert (fit(reason="odd"), fit(edited=True), fit(reviewer="bo"), fit(language="zh")) == (
        ["a"],
        ["c", "a"],
        ["c"],
        [],
    )
    assert choices(FOUND)["template"] == ["deep.v1", "airy.v1"]
    edited = next(entry for entry in FOUND if entry.candidate == "a")
    assert (edited.text, edited.original, edited.original_title) == ("rain on tin", "rain on rain", None)


def test_every_format_gives_the_text_back():
    (poem,) = [entry for entry in FOUND if entry.candidate == "c"]
    assert as_text([poem, poem]) == f"C2\n\n{HOSTILE}{BETWEEN}C2\n\n{HOSTILE}\n"
    line = as_jsonl([poem])
    assert len(line.splitlines()) == 1
    assert json.loads(line)["text"] == HOSTILE
    head, row = csv.reader(io.StringIO(as_csv([poem]), newline=""))
    assert dict(zip(head, row, strict=True))["text"] == HOSTILE
    assert tuple(head) == COLUMNS


def test_preferences_are_edits_and_accepted_over_rejected_of_one_prompt():
    assert [(row.candidate, row.liked) for row in liked(ACTS, POEMS)] == [("a", True), ("b", False), ("c", True)]
    edit, decision = better(ACTS, POEMS)
    assert (edit.why, edit.chosen, edit.rejected) == ("edit", "rain on tin", "rain on rain")
    assert (decision.why, decision.chosen, decision.rejected) == ("decision", "rain on tin", "床前明月光")


@given(st.integers(1, 6), st.integers(1, 6))
def test_each_poem_of_a_prompt_stands_in_a_pair_and_pairs_are_no_more_than_they_must(good, poor):
    poems = {str(n): candidate(str(n), f"poem {n}") for n in range(good + poor)}
    acts = [Review(f"t{n}", str(n), "accept" if n < good else "reject") for n in range(good + poor)]
    found = better(acts, poems)
    assert len(found) == max(good, poor)
    assert {pair.chosen_from for pair in found} | {pair.rejected_from for pair in found} == set(poems)


def test_rates_by_checkpoint_and_template_and_by_draw():
    table = rates(ACTS, POEMS, MODELS, PROMPTS)
    assert (table.models, table.templates) == (("checkpoint 50", "checkpoint 100"), ("airy.v1", "deep.v1"))
    assert [[(share.part, share.whole) for share in row] for row in table.cells] == [[(1, 1), (0, 0)], [(0, 1), (1, 1)]]
    assert (table.whole.part, table.whole.whole) == (2, 3)
    draws = by_draw(ACTS)
    assert (draws["best"].share, draws["explore"].share) == (1.0, 0.0)


@given(st.integers(0, 30), st.integers(0, 5))
def test_pairs_are_of_one_prompt_and_seed_and_sides_are_even(count, seed):
    one = [candidate(f"a{n}", f"one {n}", 0, seed=n) for n in range(count)]
    other = [candidate(f"b{n}", f"two {n}", 1, seed=n) for n in range(count)]
    found = pairs(one, other, "ann", seed)
    assert sorted(pair.subject for pair in found) == sorted(f"a{n}+b{n}" for n in range(count))
    assert sum(pair.left.startswith("a") for pair in found) in (count // 2, (count + 1) // 2)
    assert pairs(one, [candidate("b", "one 0", 1), candidate("c", " ", 1, seed=1)]) == ()


def test_copied_lines_are_pieces_with_their_source():
    index = LineIndex({"p": "the grey dog sleeps here\nno", "q": "床前明月光，疑是地上霜。"})
    text = "first line of mine\n  The grey dog sleeps here!\n床前明月光，我不知道啊啊。"
    found = marked(text, index.copied(text), ["p", "q"])
    assert ["".join(piece for piece, _ in line) for line in found] == text.split("\n")
    assert [(piece, source) for line in found for piece, source in line if source >= 0] == [
        ("The grey dog sleeps here", 0),
        ("床前明月光", 1),
    ]
