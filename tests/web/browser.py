"""A headless Chromium, and what a reader does and sees in it."""

from pathlib import Path

import pytest

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
MARKS = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed")]
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
    "--lang=en",
]


class Page:
    """What a reader does and sees."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url):
        self.driver.get(url)
        shown = "return [...document.querySelectorAll('main > [tabindex]')].some((n) => !n.hidden && n.textContent)"
        self.until(lambda: self.script(shown))
        return self

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def chord(self, key):
        webdriver.ActionChains(self.driver).key_down(Keys.CONTROL).send_keys(key).key_up(Keys.CONTROL).perform()

    def text(self, identifier):
        return self.driver.find_element(By.ID, identifier).text

    def visible(self, identifier):
        return self.driver.find_element(By.ID, identifier).is_displayed()

    def until(self, what):
        return WebDriverWait(self.driver, 60, poll_frequency=0.02).until(lambda _: what())

    def until_title(self, title):
        self.until(lambda: self.text("title") == title)

    def script(self, code, *values):
        return self.driver.execute_script(code, *values)

    def focused(self):
        return self.script("return document.activeElement.id || document.activeElement.dataset.key || ''")


def start(profile):
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"intl.accept_languages": "en"})
    return webdriver.Chrome(options, Service(str(DRIVER)))
