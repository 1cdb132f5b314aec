"""The Python of docs/tinkerers.md runs as it stands there, in a folder with a project of that name."""

import re
import textwrap
from pathlib import Path

import pytest

from poetune.recipe.editing import with_values

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tinkerers.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (snippet,) = re.findall(r"^((?: {4}.*\n|\n)*? {4}with Studio.*\n(?: {4}.*\n)+)", PAGE, re.MULTILINE)
    recipe = project / "poet.yaml"
    small = {"generate.themes": ["rain"], "generate.max_tokens": 60, "finetune.steps": 40}
    recipe.write_text(with_values(recipe.read_text("utf-8"), small), "utf-8")
    project.rename(project.parent / "my-poet")
    monkeypatch.chdir(project.parent)
    exec(compile(textwrap.dedent(snippet), "tinkerers.md", "exec"), {})
    assert len(capsys.readouterr().out.strip()) > 20, snippet
