"""The notebook runs top to bottom on the bundled base."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("nbclient")

pytestmark = pytest.mark.torch
NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "quickstart.ipynb"
RUN = """
import sys
import nbformat
from nbclient import NotebookClient
read = nbformat.read(sys.argv[1], 4)
nbformat.validate(read)
NotebookClient(read, timeout=900, kernel_name="python3").execute()
nbformat.write(read, sys.argv[2])
"""


def walk(folder: Path) -> str:
    """Execute in a process of its own, and give back what the cells printed."""
    done = folder / "done.ipynb"
    told = {"POETUNE_NOTEBOOK_STEPS": "3", "POETUNE_NOTEBOOK_PROJECT": str(folder / "poet")}
    run = subprocess.run(
        [sys.executable, "-c", RUN, str(NOTEBOOK), str(done)],
        cwd=folder,
        env={**os.environ, **told, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    cells = json.loads(done.read_text("utf-8"))["cells"]
    return "".join(
        "".join(out.get("text", "")) for cell in cells for out in cell.get("outputs", []) if out.get("name") == "stdout"
    )


def test_it_runs_from_poems_to_a_shipped_model(tmp_path: Path) -> None:
    first = walk(tmp_path)
    assert "Next: poetune generate" in first
    assert (tmp_path / "poet" / "report.html").exists()
    assert list((tmp_path / "poet" / "shipped").glob("merged-*/model.safetensors"))


def test_it_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
