"""What all tests share: a listener that keeps sentences, and a small project on the echo engine."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from poetune.recipe.editing import with_values
from poetune.studio import Quiet, Studio
from poetune.studio.init import create

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's background job; its children would be deaf to Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

POEMS = {
    "Wet Plate": "The plate is wet.\nThe scale says sixty.\nNobody stands there, driver.\nCome forward. Slowly.",
    "Road Salt": "Nine tons went north.\nNine came back by April\non every boot.\nTurn the page, driver.",
    "Who Owes": "Halloran owes for nine.\nI owe the coal man.\nNobody brought a pencil.\nWrite it down, driver.",
    "The Dog": "The dog sleeps on the scale.\nForty pounds, he says nothing.\nI book him as gravel.\nMind him, driver.",
    "Night": "One lamp on the plate.\nTwo trucks in the dark.\nThree tons of wet sand.\nSign here, driver.",
    "The Coat": "Her coat is on the nail.\nIt weighs what it weighed.\nI took it down on Sunday.\nFour pounds, driver.",
    "Bees": "A truck of hives at noon.\nHow do you weigh a bee?\nYou weigh the truck twice.\nDrive gently, driver.",
    "Frost": "The beam would not move.\nI breathed on the iron.\nIt gave me one pound.\nWait a little, driver.",
}


@pytest.fixture
def poems(tmp_path: Path) -> Path:
    folder = tmp_path / "poems"
    folder.mkdir()
    for title, text in POEMS.items():
        (folder / f"{title}.txt").write_text(text + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def project(tmp_path: Path, poems: Path) -> Iterator[Path]:
    folder = tmp_path / "poet"
    create(folder, "The Keeper", "en", "starter", "echo")
    recipe = folder / "poet.yaml"  # eight poems and a toy that learns them by heart leave little that passes a gate
    recipe.write_text(with_values(recipe.read_text("utf-8"), {"generate.gates.use": []}), "utf-8")
    with Studio(folder, [f"corpus.files=[{poems}]"]) as studio:
        studio.corpus()
    return folder


@pytest.fixture
def listener() -> Quiet:
    return Quiet()
