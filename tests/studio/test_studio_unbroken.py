"""Writing that is broken off, by kill -9 or Ctrl-C, in a process of its own: what it had given out is there."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent.parent / "backends"))

import miniatures

from poetune.records import Candidate
from poetune.studio import Studio

pytestmark = pytest.mark.torch
SCRIPT = """
import sys
from pathlib import Path
from poetune.studio import Quiet, Studio

class Told(Quiet):
    told = 0
    def advance(self, *_):
        self.told += 1
        print(self.told, flush=True)

with Studio(Path(sys.argv[1]), sys.argv[2:], listener=Told()) as studio:
    studio.generate()
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_grid_broken_off_goes_on_to_the_same_poems(project: Path, tmp_path: Path, how: signal.Signals) -> None:
    base = miniatures.base(tmp_path / "base", "llama")
    settings = [
        f"base={base}", "engine=torch", "finetune.steps=4", "finetune.checkpoint_every=2", "finetune.validate_every=2",
        "finetune.batch=2", "finetune.rank=2", "finetune.rate=0.02", "generate.max_tokens=40", "generate.per_cell=4",
        "generate.templates=[plain.v1]", "generate.themes=[rain, salt, dog, coat, bees]",
    ]  # fmt: skip
    with Studio(project, settings) as studio:
        studio.finetune()
    shutil.copytree(project, tmp_path / "whole")
    with Studio(tmp_path / "whole", settings) as studio:
        studio.generate()
        whole = {each.id: each.text for each in studio.store.all(Candidate)}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(project), *settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        for line in child.stdout:
            if line.strip() == "7":
                child.send_signal(how)
                break
        child.wait(60)
        assert child.returncode
    with Studio(project, settings) as studio:
        stored = {each.id: each.text for each in studio.store.all(Candidate)}
        assert 7 <= len(stored) < 40  # all that were given out; the rest was in flight, or not begun
        filled = studio.generate()
        assert (filled.existing, filled.written) == (len(stored), 40 - len(stored))
        assert {each.id: each.text for each in studio.store.all(Candidate)} == whole
