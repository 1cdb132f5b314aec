"""The report in a browser: nothing is wider than the page, on a desk or a phone, and nothing is fetched."""

from pathlib import Path

import pytest
from test_score_report import full

from poetune.score.report import report

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.chrome.service import Service  # noqa: E402

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    driver = webdriver.Chrome(options, Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.mark.parametrize("width", [1100, 390])
def test_nothing_is_wider_than_the_page(browser, tmp_path, width):
    page = tmp_path / "report.html"
    page.write_text(report(full("a word, 一个词 and another that is long enough to wrap around")), encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    shown = "return [...document.querySelectorAll('svg')].filter(e => e.getBoundingClientRect().width > 0).length"
    hidden = "return document.querySelectorAll('svg').length"
    assert browser.execute_script(shown) * 2 == browser.execute_script(hidden)
