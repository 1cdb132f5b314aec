"""A/B: two poems on hidden sides; votes are kept like decisions, and name the models only afterwards."""

import pytest

from poetune.errors import ReviewError
from poetune.records import Candidate, Model, Sampling, Vote
from poetune.review import votes
from poetune.review.sides import pairs
from poetune.store import Store
from poetune.studio.ballot import Ballots
from tests.web.browser import MARKS, Keys


@pytest.fixture
def rivals(project):
    """The project's four poems, and those of a second model for the same prompts and seeds."""
    base = Model("base", "echo", "starter", name="base")
    with Store(project.path) as store:
        tuned = store.all(Candidate)
        other = [
            Candidate(f"b{n}", base.id, c.prompt, Sampling(), c.seed, f"base {n}", f"Base {n}", "eos", 3)
            for n, c in enumerate(tuned)
        ]
        store.add([base, *other])
    project.pairs = pairs(tuned, other, "ann")
    return project


def kept(project):
    with Store(project.path) as store:
        return store.all(Vote)


def test_votes_are_blind_kept_once_and_undone_across_restarts(rivals):
    ballots = Ballots(rivals.path, rivals.pairs, "ann")
    pair = ballots.current().pair
    assert {type(pair.left.candidate), len(rivals.pairs)} == {str, 4}
    assert "checkpoint" not in str(ballots.current())
    first = ballots.vote("token-01", pair.item, "left")
    assert (first.status, first.view.progress.decided) == ("new", 1)
    assert {first.view.last.left, first.view.last.right} == {"base", "checkpoint 150"}
    assert ballots.vote("token-01", pair.item, "left").status == "repeated"
    assert ballots.vote("token-02", pair.item, "right").status == "taken"
    with pytest.raises(ReviewError, match="another act"):
        ballots.vote("token-01", pair.item, "tie")
    with pytest.raises(ReviewError, match="not in the queue"):
        ballots.vote("token-03", "c0+c1", "tie")
    ballots.close()
    ballots = Ballots(rivals.path, rivals.pairs, "ann")
    assert ballots.undo("token-04").view.pair.item == pair.item
    assert ballots.undo("token-05").status == "nothing"
    ballots.close()
    assert [(vote.action, vote.cancels) for vote in kept(rivals)] == [("left", ""), ("undo", "token-01")]
    assert votes(kept(rivals)) == []


def test_without_pairs_one_sentence_says_what_to_do(rivals):
    with pytest.raises(ReviewError, match="poetune generate"):
        Ballots(rivals.path, [])
    with pytest.raises(ReviewError, match="--reviewer ada"):
        Ballots(rivals.path, rivals.pairs, "<b>ann</b>")


@MARKS[0]
@MARKS[1]
@pytest.mark.parametrize("key", ["a", "b", "t", Keys.ARROW_LEFT])
def test_one_key_a_vote(page, rivals, serve_desk, key):
    with serve_desk(ballots=Ballots(rivals.path, rivals.pairs, "ann")) as url:
        page.open(url)
        assert page.driver.current_url.endswith("/compare")
        shown = [page.text("left-body"), page.text("right-body")]
        assert sum(text.startswith("base") for text in shown) == 1
        page.press(key)
        page.until(lambda: page.text("count") == "2 of 4")
        assert "checkpoint 150" in page.text("last")
        (vote,) = kept(rivals)
        assert vote.action == {"a": "left", "b": "right", "t": "tie"}.get(key, "left")
        assert (vote.left.startswith("b"), vote.reviewer) == (shown[0].startswith("base"), "ann")
        page.press("u")
        page.until(lambda: page.text("count") == "1 of 4")
        assert [page.text("left-body"), page.text("right-body")] == shown
        page.press("a ba")
        page.until(lambda: page.visible("done"))
        assert page.text("done-counts") == "3 decided, 1 skipped."
