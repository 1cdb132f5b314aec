"""The page in a real Chromium, driven by keyboard."""

import threading

from poetune.store import Store
from tests.web.browser import MARKS, By, Keys

pytestmark = MARKS


def test_accept_reject_skip_and_undo_by_key_with_the_row_there_before_the_next_poem(page, project, serve_desk):
    with serve_desk(project.desk()) as url:
        page.open(url)
        assert "token" not in page.driver.current_url
        assert page.text("title") == "Wet Plate"
        assert page.text("body").split("\n")[-1] == "Come forward. Slowly."
        for key, title, acts in [
            ("a", "Road Salt", [("accept", "c0")]),
            ("X", "Who Owes", [("accept", "c0"), ("reject", "c1")]),
        ]:
            page.press(key)
            page.until_title(title)
            assert project.acts() == acts
        assert page.text("last") == "Rejected · Road Salt · checkpoint 150 · airy.v1"
        assert page.text("count") == "3 of 4"
        page.press("uu")
        page.until_title("Wet Plate")
        page.press(Keys.SPACE)
        page.until_title("Road Salt")
        assert page.driver.switch_to.active_element.get_attribute("id") == "poem"
        assert page.text("count") == "2 of 4"
        assert [a for a, _ in project.acts()] == ["accept", "reject", "undo", "undo", "skip"]


def test_the_next_poem_waits_for_the_commit_and_keys_wait_for_the_poem(page, project, serve_desk, monkeypatch):
    gate, add = threading.Event(), Store.add

    def slow(store, records):
        assert gate.wait(20)
        return add(store, records)

    with serve_desk(project.desk()) as url:
        page.open(url)
        monkeypatch.setattr(Store, "add", slow)
        page.press("axa")
        threading.Event().wait(0.3)
        assert (page.text("title"), project.rows()) == ("Wet Plate", [])
        gate.set()
        page.until(lambda: page.text("count") == "4 of 4")
        assert project.acts() == [("accept", "c0"), ("reject", "c1"), ("accept", "c2")]


def test_an_edit_shows_what_it_changed_and_is_accepted_with_it(page, project, serve_desk):
    with serve_desk(project.desk()) as url:
        page.open(url).press("e")
        assert page.driver.switch_to.active_element.get_attribute("id") == "edit-body"
        page.press("A dry axe. ")
        page.chord(Keys.ENTER)
        page.until(lambda: page.visible("poem"))
        assert project.rows() == []
        assert page.script("return document.querySelector('#body del').textContent").startswith("It has rained")
        assert page.script("return document.querySelector('#body ins mark').textContent").startswith("A dry axe.")
        page.press("t", "Axe", Keys.ENTER)
        page.until_title("Axe")
        page.press("nwhy not")
        page.chord(Keys.ENTER)
        page.until(lambda: page.text("note") == "why not")
        page.press("a")
        page.until_title("Road Salt")
        (row,) = project.rows()
        assert (row["action"], row["title"], row["note"]) == ("accept", "Axe", "why not")
        assert row["body"].startswith("A dry axe. It has rained since four o'clock\nand the empty plate")
        page.press("u")
        page.until_title("Axe")
        assert "Wet Plate" in page.text("was")
        page.press("o")
        page.until_title("Wet Plate")
        page.press("a")
        page.until_title("Road Salt")
        assert (project.rows()[-1]["title"], project.rows()[-1]["body"]) == (None, None)


def test_escape_sets_an_edit_aside_and_nothing_is_no_edit(page, project, serve_desk):
    with serve_desk(project.desk()) as url:
        page.open(url).press("e", "half a thought", Keys.ESCAPE)
        page.until(lambda: page.visible("poem"))
        assert "half" not in page.text("body")
        page.press("e")
        assert page.script("return document.activeElement.value").startswith("half a thought")
        page.chord("a")
        page.press(Keys.DELETE)
        page.chord(Keys.ENTER)
        assert page.text("edit-fault").startswith("The poem is empty")
        page.press(Keys.ESCAPE)
        assert project.rows() == []


def test_sixty_presses_as_fast_as_they_come_are_sixty_decisions_and_a_held_key_is_one(page, make_project, serve_desk):
    project = make_project([(f"Poem {n}", f"line {n}") for n in range(70)])
    with serve_desk(project.desk()) as url:
        page.open(url).press("a" * 60)
        page.until_title("Poem 60")
        assert project.acts() == [("accept", f"c{n}") for n in range(60)]
        key = {"type": "keyDown", "key": "a", "code": "KeyA", "text": "a", "windowsVirtualKeyCode": 65}
        for held in range(20):
            page.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {**key, "autoRepeat": held > 0})
        page.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {**key, "type": "keyUp", "text": ""})
        page.press("x")
        page.until_title("Poem 62")
        assert project.acts()[60:] == [("accept", "c60"), ("reject", "c61")]


def test_two_windows_lose_no_decision(page, project, serve_desk):
    with serve_desk(project.desk()) as url:
        page.open(url)
        first = page.driver.current_window_handle
        page.driver.switch_to.new_window("tab")
        page.open(url).press("x")
        page.until_title("Road Salt")
        page.driver.switch_to.window(first)
        assert page.text("title") == "Wet Plate"
        page.press("a")
        page.until_title("Road Salt")
        assert "decided before" in page.text("trouble")
        assert project.acts() == [("reject", "c0")]
        page.driver.switch_to.window(next(h for h in page.driver.window_handles if h != first))
        page.driver.close()
        page.driver.switch_to.window(first)
        assert any("409" in entry["message"] for entry in page.driver.get_log("browser"))


def test_hostile_text_is_inert_and_chinese_is_marked_as_such(page, make_project, serve_desk):
    hostile = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    project = make_project(
        [(hostile, f"{hostile}\n\n   indented \u202e rtl\n\x00 🌧️\n" + "x" * 10_000), ("夜雨", "半夜落下的雨\n没有敲门")]
    )
    with serve_desk(project.desk()) as url:
        page.open(url)
        assert page.text("title") == hostile
        assert page.script("return document.querySelectorAll('main script, main img').length") == 0
        assert "owned" not in page.driver.title
        lines = page.script("return [...document.querySelectorAll('#body > *')].map((n) => n.textContent)")
        assert lines == [hostile, "", "   indented \u202e rtl", "\x00 🌧️", "x" * 10_000]
        assert page.script("return document.documentElement.scrollWidth <= innerWidth")
        page.press("a")
        page.until_title("夜雨")
        assert page.driver.find_element(By.ID, "body").get_attribute("lang") == "zh-Hans"


def test_the_end_brings_back_what_was_skipped_and_the_language_turns(page, make_project, serve_desk):
    project = make_project([("One", "first"), ("Two", "second")])
    with serve_desk(project.desk()) as url:
        page.open(url).press(" a")
        page.until(lambda: page.text("done-title") == "All 2 poems are read.")
        page.driver.find_element(By.ID, "tongue").click()
        assert page.text("done-title") == "2 首诗都读完了。"
        page.driver.find_element(By.ID, "tongue").click()
        page.press("?")
        assert page.visible("help")
        page.press("x?")
        page.until(lambda: not page.visible("help"))
        page.press(" ")
        page.until_title("One")
        page.press("x")
        page.until(lambda: page.text("done-counts") == "1 accepted, 1 rejected.")
        assert project.acts() == [("skip", "c0"), ("accept", "c1"), ("reject", "c0")]


def test_a_lost_answer_is_asked_for_again_and_counts_once(page, project, serve_desk):
    with serve_desk(project.desk()) as url:
        page.open(url)
        page.script(
            """const real = fetch; let lost = 0;
            window.fetch = async (...call) => {
              const answer = await real(...call);
              if (lost++ < 2) throw new TypeError("lost");
              return answer;
            };"""
        )
        page.press("a")
        page.until(lambda: page.visible("trouble"))
        page.until_title("Road Salt")
        assert not page.visible("trouble")
        assert project.acts() == [("accept", "c0")]
