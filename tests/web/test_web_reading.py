"""Reasons, scores, Chinese down the page, light and dark, silent repeats; all of it by keyboard alone."""

from poetune.records import Candidate, Poem
from poetune.review import Item
from poetune.store import Store
from poetune.studio.desk import Asked, Desk
from tests.web.browser import MARKS, By, Keys

pytestmark = MARKS
ASKED = Asked(("stock phrases", "too long"), "fusion.v1", (("Tone", "Does one mood hold?"), ("Style", "Whose is it?")))


def named(page):
    """(role, name) of everything that the accessibility tree offers."""
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    shown = [node for node in nodes if not node.get("ignored")]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in shown]


def test_reasons_toggle_and_go_along_with_the_decision_and_the_undo(page, project, serve_desk):
    with serve_desk(project.desk(asked=ASKED)) as url:
        page.open(url).press("121")
        second = page.driver.find_element(By.CSS_SELECTOR, "#reasons [data-key='2']")
        page.until(lambda: second.get_attribute("aria-pressed") == "true")
        page.until(lambda: page.text("said") == "No longer noted: stock phrases.")
        page.press("x")
        page.until_title("Road Salt")
        assert second.get_attribute("aria-pressed") == "false"
        assert project.rows()[0]["reasons"] == '["too long"]'
        page.press("u")
        page.until_title("Wet Plate")
        assert second.get_attribute("aria-pressed") == "true"
        page.press("4a")
        page.until_title("Road Salt")
        assert project.rows()[-1]["reasons"] == '["too long"]'


def test_scores_by_keyboard_are_kept_with_the_decision(page, project, serve_desk):
    with serve_desk(project.desk(asked=ASKED)) as url:
        page.open(url).press("g")
        page.until(lambda: page.script("return document.activeElement.dataset.criterion") == "Tone")
        page.press("4")
        page.until(lambda: page.script("return document.activeElement.dataset.criterion") == "Style")
        page.press("2")
        page.until(lambda: page.focused() == "poem")
        page.press("a")
        page.until_title("Road Salt")
        (row,) = project.rows()
        assert (row["rubric"], row["scores"], row["reasons"]) == ("fusion.v1", '{"Style": 2, "Tone": 4}', "[]")
        assert page.script("return document.querySelectorAll('#grades :checked').length") == 0


def test_chinese_turns_down_the_page_and_english_stays(page, make_project, serve_desk):
    project = make_project([("夜雨", "半夜落下的雨\n没有敲门"), ("Rain", "rain at night")])
    style = "return getComputedStyle(document.getElementById('body')).writingMode"
    with serve_desk(project.desk()) as url:
        page.open(url).press("v")
        page.until(lambda: page.script(style) == "vertical-rl")
        first, last = page.script(
            "return [...document.querySelectorAll('.line')].map((n) => n.getBoundingClientRect().x)"
        )
        assert first > last
        page.press("a")
        page.until_title("Rain")
        assert page.script(style) == "horizontal-tb"
        page.press("u")
        page.until_title("夜雨")
        assert page.script(style) == "vertical-rl"


def test_light_and_dark_follow_the_system_until_the_reader_chooses(page, project, serve_desk):
    ground = "return getComputedStyle(document.documentElement).backgroundColor"
    with serve_desk(project.desk()) as url:
        page.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        )
        page.open(url)
        assert page.script(ground) == "rgb(24, 23, 21)"
        page.driver.find_element(By.ID, "theme").click()
        assert page.script(ground) == "rgb(251, 249, 244)"
        page.open(page.driver.current_url)
        assert page.script(ground) == "rgb(251, 249, 244)"
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_copied_lines_are_marked_with_their_source(page, project, serve_desk):
    with Store(project.path) as store:
        line = store.all(Candidate)[0].text.split("\n")[1]
        store.add([Poem(f"The plate is wet, driver.\n{line}", "Old Plate", "Someone Else")])
    with serve_desk(project.desk()) as url:
        page.open(url)
        assert page.driver.find_element(By.CSS_SELECTOR, "mark.copied").text.strip(" ,.") == line.strip(" ,.")
        assert page.text("sources").split("\n")[-1] == "Old Plate — Someone Else"
        page.press("a")
        page.until_title("Road Salt")
        assert not page.visible("sources")


def test_a_silent_repeat_looks_like_any_poem_and_its_agreement_is_told_at_the_end(page, make_project, serve_desk):
    project = make_project([("One", "first"), ("Two", "second")])
    items = [Item("c0"), Item("c1"), Item("c0", "repeat")]
    with serve_desk(Desk(project.path, items, "ann")) as url:
        page.open(url).press("ax")
        page.until(lambda: page.text("count") == "3 of 3")
        assert page.text("title") == "One"
        assert "repeat" not in page.script("return document.body.innerHTML")
        page.press("x")
        page.until(lambda: page.visible("done"))
        assert "you decided 0 of 1 alike" in page.text("done-steady")
        assert [(row["action"], row["drawn"]) for row in project.rows()][::2] == [
            ("accept", "best"),
            ("reject", "repeat"),
        ]


def test_an_edit_of_a_megabyte_is_refused_in_a_sentence_and_stays_with_the_reader(page, project, serve_desk):
    with serve_desk(project.desk()) as url:
        page.open(url).press("e")
        page.script("document.getElementById('edit-body').value = 'rain\\n'.repeat(200_000)")
        page.chord(Keys.ENTER)
        page.until(
            lambda: page.text("edit-fault").startswith("The poem has 1000000 characters, and 100000 is the most")
        )
        page.press(Keys.ESCAPE)
        page.until(lambda: page.visible("poem"))
        page.press("e")
        assert page.script("return document.getElementById('edit-body').value.length") == 1_000_000
        page.script("document.getElementById('edit-body').value = 'rain'")
        page.chord(Keys.ENTER)
        page.press("a")
        page.until_title("Road Salt")
        assert [row["body"] for row in project.rows()] == ["rain"]


def test_with_tab_and_enter_alone_everything_is_reached_and_has_a_name(page, project, serve_desk):
    with serve_desk(project.desk(asked=ASKED)) as url:
        page.open(url)
        assert page.focused() == "poem"
        keys = []
        for _ in range(40):
            page.press(Keys.TAB)
            keys.append(page.script("return document.activeElement.dataset.key ?? document.activeElement.name ?? ''"))
            if keys[-1] == "n":
                break
        assert [key for key in keys if key] == ["grade-1", "grade-2", "1", "2", "x", "a", " ", "u", "e", "t", "n"]
        tree = named(page)
        assert all(
            name for role, name in tree if role in ("button", "link", "radio", "group", "navigation", "progressbar")
        )
        assert {"main", "navigation", "article", "status", "banner"} <= {role for role, _ in tree}
        assert ("article", "Wet Plate") in tree
        page.script("document.querySelector('[data-key=x]').focus()")
        page.press(Keys.ENTER)
        page.until_title("Road Salt")
        assert page.text("said") == "Rejected. 2 of 4. Road Salt"
        assert page.focused() == "poem"
        assert project.acts() == [("reject", "c0")]


def test_single_keys_can_be_turned_off_and_buttons_go_on(page, project, serve_desk):
    with serve_desk(project.desk()) as url:
        page.open(url).press("?")
        page.until(lambda: page.visible("help"))
        page.driver.find_element(By.ID, "single").click()
        page.press(Keys.ESCAPE)
        page.until(lambda: not page.visible("help"))
        page.press("axx")
        page.driver.find_element(By.CSS_SELECTOR, "footer [data-key=' ']").click()
        page.until_title("Road Salt")
        assert project.acts() == [("skip", "c0")]
