"""Key to next poem on the review page, in headless Chromium over a project with many poems."""

import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from poetune.records import Candidate, Model, Prompt, Review, Sampling
from poetune.review import Item, queue
from poetune.store import Store
from poetune.studio.desk import Desk
from poetune.studio.starter import poems as starter_poems
from poetune.web.faces import Faces
from poetune.web.server import PageServer

READER = "bench"
# In the page: from the key to the first frame in which another poem stands.
CLOCK = """
window.spans = [];
let at = null;
addEventListener("keydown", () => { at = performance.now(); }, true);
new MutationObserver(() => {
  if (at === null) return;
  const begun = at;
  at = null;
  requestAnimationFrame(() => setTimeout(() => spans.push(performance.now() - begun)));
}).observe(document.getElementById("body"), { childList: true });
"""

# The wait is in the page, so that asking for its end does not take the server's time.
SEEN = """
const [before, done] = arguments;
const look = () => (spans.length > before ? done() : setTimeout(look, 20));
look();
"""


def measure(poems: int, presses: int, seed: int = 0) -> dict[str, Any]:
    """Milliseconds from key to painted poem; half of the poems are decided when the clock starts."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "poet.db"
        began = time.perf_counter()
        items = _project(path, poems, seed)
        made = time.perf_counter() - began
        began = time.perf_counter()
        faces = Faces(desk=Desk(path, items, READER))
        opened = time.perf_counter() - began
        try:
            spans = _pressed(faces, presses)
        finally:
            faces.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ordered = sorted(spans)
    return {
        "poems": poems,
        "presses": len(spans),
        "median_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(0.95 * len(ordered))], 1),
        "most_ms": round(ordered[-1], 1),
        "under_100_ms": round(sum(span < 100 for span in ordered) / len(ordered), 4),
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
        "open_desk_s": round(opened, 2),
        "make_project_s": round(made, 1),
    }


def _project(path: Path, poems: int, seed: int) -> tuple[Item, ...]:
    """Candidates of shuffled lines beside the corpus that they are from, so that copied lines are sought and found."""
    corpus = [*starter_poems("en"), *starter_poems("zh")]
    lines = [line for poem in corpus for line in poem.text.split("\n") if line.strip()]
    draw = random.Random(seed)
    models = [Model("checkpoint", "echo", "starter", name=f"checkpoint {n}", step=n) for n in range(100, 600, 100)]
    prompts = [Prompt(f"theme {n}", template) for n in range(100) for template in ("plain.v1", "airy.v1")]
    texts = ["\n".join(draw.choices(lines, k=draw.randint(4, 24))) for _ in range(poems)]
    made = [
        Candidate(
            f"{n:016x}", draw.choice(models).id, draw.choice(prompts).id, Sampling(), n, text, f"Poem {n}", "eos", 9
        )
        for n, text in enumerate(texts)
    ]
    shown = queue(made, [c.id for c in draw.sample(made, len(made))], seed=seed)
    decided = [
        Review(
            f"bench-{n}", item.candidate, "accept", READER, at=f"2026-01-01T00:00:{n % 60:02}+00:00", drawn=item.drawn
        )
        for n, item in enumerate(shown[: len(shown) // 2])
    ]
    with Store(path, create=True) as store:
        store.add([*corpus, *models, *prompts, *made, *decided])
    return shown


def _pressed(faces: Faces, presses: int) -> list[float]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    ready = threading.Event()
    server = PageServer(faces, 0, lambda _: ready.set())
    thread = threading.Thread(target=server.run)
    thread.start()
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
    ):
        options.add_argument(flag)
    try:
        ready.wait(60)
        driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
        try:
            driver.get(server.url)
            wait = WebDriverWait(driver, 60, poll_frequency=0.01)
            wait.until(lambda d: d.execute_script("return document.getElementById('body').childElementCount"))
            driver.execute_script(CLOCK)
            for number in range(presses):
                webdriver.ActionChains(driver).send_keys("axxax"[number % 5]).perform()
                driver.execute_async_script(SEEN, number)
            found: list[float] = driver.execute_script("return spans")
            return found
        finally:
            driver.quit()
    finally:
        server.stop()
        thread.join(60)


def text(found: dict[str, Any]) -> str:
    """The figures in a sentence."""
    return (
        f"{found['presses']} keys among {found['poems']} poems: median {found['median_ms']} ms from key to next poem, "
        f"95 % within {found['p95_ms']} ms, at most {found['most_ms']} ms; {found['under_100_ms']:.1%} under 100 ms "
        f"(load {found['load']} on {found['cores']} cores)."
    )
