"""The desk: one row an act, undo across restarts, and no update lost between windows."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from poetune.errors import ReviewError, StoreError
from poetune.records import Review
from poetune.review import Item
from poetune.store import Store
from poetune.studio.desk import Desk


def test_decisions_lead_to_the_next_poem_and_undo_reaches_back_across_restarts(project):
    desk = project.desk()
    assert desk.decide("token-01", "c0", "accept", title="New", note=" why ").view.poem.item == "c1"
    assert desk.decide("token-02", "c1", "reject").view.poem.item == "c2"
    desk.close()
    desk = project.desk()
    assert desk.current().poem.item == "c2"
    assert desk.undo("token-03").view.poem.item == "c1"
    view = desk.undo("token-04").view
    assert (view.poem.item, view.poem.draft.title, view.poem.draft.note) == ("c0", "New", "why")
    assert desk.undo("token-05").status == "nothing"
    desk.close()
    assert [row["cancels"] for row in project.rows()] == ["", "", "token-02", "token-01"]


def test_the_same_token_twice_is_one_row_and_a_decided_poem_is_taken(project):
    desk, other = project.desk(), project.desk()
    assert desk.decide("token-01", "c0", "accept").status == "new"
    assert desk.decide("token-01", "c0", "accept").status == "repeated"
    taken = other.decide("token-02", "c0", "reject")
    assert (taken.status, taken.view.poem.item, taken.view.last.action) == ("taken", "c1", "accept")
    with pytest.raises(ReviewError, match="another act"):
        desk.decide("token-01", "c1", "accept")
    assert desk.undo("token-03").status == "new"
    assert desk.undo("token-03").status == "repeated"
    assert other.decide("token-04", "c0", "reject").status == "new"
    assert project.acts() == [("accept", "c0"), ("undo", "c0"), ("reject", "c0")]
    desk.close()
    other.close()


def test_desks_that_race_for_a_poem_decide_it_once(make_project):
    project = make_project([(f"t{n}", f"line {n}") for n in range(40)])
    desks = [project.desk() for _ in range(3)]
    gate = Barrier(len(desks))

    def race(who):
        for n in range(40):
            gate.wait(20)
            desks[who].decide(f"token-{who}-{n}", f"c{n}", "accept")

    with ThreadPoolExecutor() as pool:
        list(pool.map(race, range(len(desks))))
    for desk in desks:
        desk.close()
    assert [c for _, c in project.acts()] == [f"c{n}" for n in range(40)]


def test_reviewers_decide_for_themselves(project):
    ann, bo = project.desk("ann"), project.desk("bo")
    ann.decide("token-01", "c0", "accept")
    assert bo.current().poem.item == "c0"
    assert bo.undo("token-02").status == "nothing"
    with pytest.raises(ReviewError, match="another act"):
        bo.decide("token-01", "c0", "accept")
    ann.close()
    bo.close()


def test_skipped_poems_come_back_when_asked_the_longest_ago_first(project):
    desk = project.desk()
    for n, action in enumerate(["skip", "accept", "skip", "reject"]):
        last = desk.decide(f"token-0{n}", f"c{n}", action)
    assert last.view.poem is None
    assert desk.current(again=True).poem.item == "c0"
    assert desk.decide("token-10", "c0", "skip", again=True).view.poem.item == "c2"
    assert desk.decide("token-11", "c2", "accept", again=True).view.poem.item == "c0"
    progress = desk.progress()
    assert (progress.accepted, progress.rejected, progress.skipped) == (2, 1, 1)
    desk.close()


def test_blind_until_decided(project):
    desk = project.desk()
    assert "checkpoint" not in str(desk.current())
    assert "airy" not in str(desk.current())
    assert desk.decide("token-01", "c0", "skip").view.last.model == ""
    last = desk.decide("token-02", "c1", "accept").view.last
    assert (last.model, last.template) == ("checkpoint 150", "airy.v1")
    desk.close()


def test_edits_keep_the_original_and_only_what_changed(project):
    desk = project.desk()
    poem = desk.current().poem
    desk.decide("token-01", "c0", "accept", poem.title, poem.body)
    desk.decide("token-02", "c1", "accept", " Two\nlines ", "\r\n\none\r\ntwo  \n\n")
    first, second = project.rows()
    assert (first["title"], first["body"]) == (None, None)
    assert (second["title"], second["body"]) == ("Two lines", "one\ntwo")
    with pytest.raises(ReviewError, match="empty"):
        desk.decide("token-03", "c2", "accept", body=" \n\n")
    with pytest.raises(ReviewError, match="characters"):
        desk.decide("token-03", "c2", "accept", body="x" * 200_000)
    with pytest.raises(ReviewError, match="not in the queue"):
        desk.decide("token-03", "elsewhere", "accept")
    assert len(project.rows()) == 2
    desk.close()


def test_time_left_follows_the_readers_pace(project):
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def clock():
        nonlocal now
        now += timedelta(seconds=10)
        return now

    desk = project.desk(clock=clock)
    desk.undo("token-00")
    for n in range(3):
        assert desk.decide(f"token-1{n}", f"c{n}", "skip").view.progress.seconds_left is None
    desk.undo("token-20")
    desk.decide("token-21", "c2", "accept")
    desk.decide("token-22", "c3", "accept")
    desk.undo("token-23")
    desk.decide("token-24", "c3", "accept")
    assert desk.progress().seconds_left == 0.0
    desk.close()


def test_a_moved_project_a_busy_database_and_an_empty_queue_are_told_in_a_sentence(project, tmp_path):
    with pytest.raises(ReviewError, match="poetune generate"):
        Desk(project.path, [])
    with pytest.raises(StoreError, match="run `poetune review` again"):
        Desk(project.path, [Item("c0"), Item("gone")])
    desk = project.desk()
    with Store(project.path) as other, other.transaction():
        desk._sitting.holding.store._db.execute("PRAGMA busy_timeout=10")
        with pytest.raises(StoreError, match="try again"):
            desk.decide("token-01", "c0", "accept")
    assert desk.decide("token-01", "c0", "accept").status == "new"
    shutil.move(project.path, tmp_path / "moved.db")
    with pytest.raises(StoreError, match="moved"):
        desk.decide("token-02", "c1", "accept")
    desk.close()


def test_rows_of_another_process_are_seen(project):
    desk = project.desk()
    with Store(project.path) as other:
        other.add([Review("elsewhere", "c0", "accept", "ann")])
    assert desk.current().poem.item == "c1"
    desk.close()
