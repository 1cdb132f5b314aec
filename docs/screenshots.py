"""Screenshots of the review pages: python docs/screenshots.py ENGLISH_PROJECT CHINESE_PROJECT [FOLDER]

Those that the docs show go into docs/images; with a folder, all of them go there.

The projects are what `poetune demo` and `poetune demo --language zh` leave behind; every poem shown was written and
ranked there. Needs Chromium, its driver and selenium. Decisions are made in copies of the projects, which are removed.
"""

import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from poetune.records import digest
from poetune.studio import Studio
from poetune.web.faces import Faces
from poetune.web.server import PageServer

IMAGES = Path(__file__).resolve().parent / "images"
SHOWN = ("review-desktop-light-en", "review-phone-dark-zh-vertical", "figures-desktop-light-en")
WIDTHS = {"desktop": (1280, 860), "phone": (390, 844)}


@contextmanager
def served(project: Path, models: tuple[str, str] | None = None, **asked: Any) -> Iterator[tuple[str, Faces]]:
    """The pages over a copy of the project, with some decisions made by rule."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / project.name
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("cache"))
        overrides = [f"review.{name}={json.dumps(value)}" for name, value in asked.items()]
        with Studio(copy, overrides) as studio:
            ballots = studio.ballots(*models) if models else None
            faces = Faces(desk=studio.desk(), ballots=ballots, gallery=studio.gallery(), pen=studio.pen())
            ready = threading.Event()
            server = PageServer(faces, 0, lambda _: ready.set())
            thread = threading.Thread(target=server.run)
            thread.start()
            ready.wait(20)
            try:
                yield server.url, faces
            finally:
                server.stop()
                thread.join(20)
                faces.close()


def decide(faces: Faces, count: int) -> None:
    """Decide the first poems, by hash: the point is a full page, not a judgement."""
    assert faces.desk is not None
    for number in range(count):
        poem = faces.desk.current().poem
        if poem is None:
            return
        accept = int(digest("shot", poem.item.partition("~")[0]), 16) % 5 < 2
        reasons = [] if accept else [faces.desk.asked.reasons[number % 5]]
        faces.desk.decide(f"screenshot-{number}", poem.item, "accept" if accept else "reject", reasons=reasons)


class Camera:
    """A headless Chromium that looks at pages as a reader with these wishes would."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))

    def wish(self, width: str, dark: bool, tongue: str, vertical: bool = False) -> None:
        """Width, colours and language."""
        across, down = WIDTHS[width]
        size = {"width": across, "height": down, "deviceScaleFactor": 1, "mobile": width == "phone"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": width == "phone"})
        code = "for (const [name, value] of Object.entries(arguments[0])) localStorage.setItem(name, value)"
        wishes = {"theme": "dark" if dark else "light", "tongue": tongue, "vertical": "on" if vertical else "off"}
        self.driver.execute_script(code, wishes)

    def take(self, name: str, url: str, *keys: str) -> None:
        """Open the page, press keys, and keep what is seen."""
        if self.folder is None and name not in SHOWN:
            return
        self.driver.get(url)
        self.settle()
        for key in keys:
            webdriver.ActionChains(self.driver).send_keys(key).perform()
            self.settle()
        self.driver.save_screenshot(str((self.folder or IMAGES) / f"{name}.png"))

    def settle(self) -> None:
        """Let what is under way end."""
        wait = "const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => done()), 400)"
        self.driver.execute_async_script(wait)


def side_by_side(camera: Camera, project: Path) -> None:
    """Scores, and two checkpoints against each other."""
    with served(project, ("step 20", "step 40"), rubric="fusion.v1") as (url, _):
        base = url.partition("/?")[0]
        camera.driver.get(url)
        for width, dark in (("desktop", False), ("phone", True)):
            camera.wish(width, dark, "en")
            camera.take(f"grades-{width}", f"{base}/review", "2", "g", "4", "3")
            camera.take(f"compare-{width}", f"{base}/compare", "a")


def main() -> None:
    """Take all of them."""
    english, chinese = (Path(given) for given in sys.argv[1:3])
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    (folder or IMAGES).mkdir(exist_ok=True)
    camera = Camera(folder)
    try:
        with served(english, reviewer="ada") as (url, faces):
            base = url.partition("/?")[0]
            decide(faces, 60)
            camera.driver.get(url)
            for width in WIDTHS:
                for dark in (False, True):
                    camera.wish(width, dark, "en")
                    end = f"{width}-{'dark' if dark else 'light'}-en"
                    camera.take(f"review-{end}", f"{base}/review")
                    camera.take(f"gallery-{end}", f"{base}/gallery")
                    camera.take(f"figures-{end}", f"{base}/figures")
                    camera.take(f"write-{end}", f"{base}/write")
            camera.wish("desktop", False, "en")
            camera.take("help", f"{base}/review", "?")
            camera.take("edit", f"{base}/review", "e")
        if folder:
            side_by_side(camera, english)
        with served(chinese) as (url, faces):
            base = url.partition("/?")[0]
            decide(faces, 40)
            camera.driver.get(url)
            for width in WIDTHS:
                for dark in (False, True):
                    for vertical in (False, True):
                        camera.wish(width, dark, "zh", vertical)
                        end = f"{width}-{'dark' if dark else 'light'}-zh{'-vertical' if vertical else ''}"
                        camera.take(f"review-{end}", f"{base}/review")
                camera.take(f"gallery-{width}-zh", f"{base}/gallery")
            camera.wish("desktop", False, "zh")
            camera.take("figures-zh", f"{base}/figures")
    finally:
        camera.driver.quit()


if __name__ == "__main__":
    main()
