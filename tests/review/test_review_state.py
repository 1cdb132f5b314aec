"""Any sequence of acts and undos folds to what a stack of acts would hold."""

from hypothesis import given
from hypothesis import strategies as st

from poetune.records import Review, Vote
from poetune.review import Ledger, decisions, votes
from poetune.review.agreement import Share, with_oneself, with_others

POEMS = ["a", "b", "c"]
acts = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(POEMS), st.sampled_from(["accept", "reject", "skip"]), st.sampled_from("xy")),
        st.tuples(st.just("undo"), st.just(""), st.sampled_from("xy")),
    ),
    max_size=40,
)


@given(acts, st.data())
def test_acts_and_undos_fold_like_a_stack_per_reviewer(steps, data):
    rows: list[Review] = []
    stacks: dict[str, list[Review]] = {"x": [], "y": []}
    for n, (poem, action, who) in enumerate(steps):
        stack = stacks[who]
        if poem == "undo":
            if stack:
                last = stack.pop()
                rows.append(Review(f"t{n}", last.candidate, "undo", who, cancels=last.token))
        else:
            rows.append(Review(f"t{n}", poem, action, who, body=f"body {n}"))
            stack.append(rows[-1])
    twice = [row for row in rows for _ in range(data.draw(st.integers(1, 2)))]
    for who, stack in stacks.items():
        ledger = Ledger(who)
        for row in twice:
            ledger.add(row)
        expected = {act.candidate: act for act in stack}
        assert {c: d.token for c, d in ledger.standing().items()} == {c: a.token for c, a in expected.items()}
        assert ledger.last(POEMS) == (stack[-1] if stack else None)
        assert [ledger.action(poem) is not None for poem in POEMS] == [poem in expected for poem in POEMS]
        order = [a.token for a in stack]
        skips = sorted((a for a in expected.values() if a.action == "skip"), key=lambda a: order.index(a.token))
        assert ledger.skipped(POEMS) == [a.candidate for a in skips]
    everyone = {r.candidate: r for r in rows if any(r in s for s in stacks.values())}
    assert {c: d.body for c, d in decisions(twice).items()} == {c: r.body for c, r in everyone.items()}


def test_an_undo_is_not_undone_and_takes_only_its_own_reviewers_act():
    accept = Review("t1", "a", "accept", "x")
    undo = Review("t2", "a", "undo", "x", cancels="t1")
    assert decisions([accept, undo, Review("t3", "a", "undo", "x", cancels="t2")]) == {}
    assert decisions([accept, Review("t2", "a", "undo", "y", cancels="t1")])["a"].action == "accept"


def test_an_undo_gives_back_the_earlier_decision_and_keeps_the_edit_as_a_draft():
    ledger = Ledger("x")
    for row in (
        Review("t1", "a", "skip", "x"),
        Review("t2", "a", "accept", "x", title="T", body="B", note="N"),
        Review("t3", "a", "undo", "x", cancels="t2"),
    ):
        ledger.add(row)
    assert ledger.held("a").action == "skip"
    assert (ledger.undone("a").title, ledger.undone("a").body, ledger.undone("a").note) == ("T", "B", "N")
    ledger.add(Review("t4", "a", "reject", "x"))
    assert ledger.undone("a") is None


def test_a_silent_repeat_decides_nothing_and_tells_how_steady_the_reader_is():
    rows = [
        Review("t1", "a", "accept", "x"),
        Review("t2", "b", "reject", "x"),
        Review("t3", "a", "reject", "x", drawn="repeat"),
        Review("t4", "b", "reject", "x", drawn="repeat"),
        Review("t5", "a", "accept", "y", drawn="repeat"),
    ]
    assert {c: d.action for c, d in decisions(rows).items()} == {"a": "accept", "b": "reject"}
    (own,) = with_oneself(rows)
    assert (own.who, own.same.part, own.same.whole, own.kappa) == ("x", 1, 2, 0.0)
    (both,) = with_others([*rows, Review("t6", "a", "reject", "y"), Review("t7", "b", "skip", "y")])
    assert (both.who, both.same.part, both.same.whole) == ("x / y", 0, 1)


def test_the_wilson_interval_is_the_textbooks():
    low, high = Share(8, 10).interval  # Newcombe 1998, method 3: .490 to .943
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert Share(0, 5).interval[0] == 0.0
    assert Share(0, 0).interval is None


def test_votes_hold_once_a_pair_and_reader_whichever_side():
    rows = [
        Vote("t1", "a", "b", "left", "x"),
        Vote("t2", "b", "a", "right", "y"),
        Vote("t3", "c", "d", "tie", "x"),
        Vote("t4", "c", "d", "undo", "x", cancels="t3"),
        Vote("t5", "e", "f", "skip", "x"),
    ]
    assert [vote.token for vote in votes(rows)] == ["t1", "t2"]
    assert votes(rows)[0].subject == votes(rows)[1].subject


def test_last_looks_only_among_the_poems_on_the_desk():
    ledger = Ledger()
    ledger.add(Review("t1", "a", "accept"))
    ledger.add(Review("t2", "z", "accept"))
    assert ledger.last({"a"}).token == "t1"
    assert ledger.last({"b"}) is None
