"""The command line: fast help, examples, errors in one sentence with exit code 2, JSON."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from poetune.cli.commands import ALL
from poetune.cli.group import main, poetune

GUESTS = ("torch", "numpy", "transformers", "pydantic", "rich", "fastapi", "openai")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "poetune", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_help_loads_no_guest() -> None:
    code = f"import sys\nfrom poetune.cli.group import poetune\nprint([g for g in {GUESTS} if g in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("command", ALL, ids=lambda c: c.name)
def test_every_command_has_the_shared_options_and_an_example(command: object) -> None:
    shown = CliRunner().invoke(poetune, [command.name, "--help"]).output  # type: ignore[attr-defined]
    assert f"Example: poetune {command.name}" in shown  # type: ignore[attr-defined]
    for option in ("--project", "--json", "--set", "--debug"):
        assert option in shown


def test_an_error_is_one_sentence_with_exit_code_2(tmp_path: Path) -> None:
    done = run("status", "--project", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "poetune init" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in run("status", "--project", tmp_path, "--debug").stderr


def test_a_project_from_the_command_line(tmp_path: Path, poems: Path) -> None:
    folder = tmp_path / "poet"
    assert run("init", folder, "--engine", "echo", "--language", "en").returncode == 0
    taken = json.loads(run("corpus", poems, "--project", folder, "--json").stdout)
    assert (taken["new"], taken["total"]) == (8, 8)
    small = ("--set", "finetune.steps=4", "--set", "finetune.checkpoint_every=4", "--set", "generate.max_tokens=30")
    tuned = json.loads(run("finetune", "--project", folder, "--json", *small).stdout)
    assert tuned["checkpoints"] == 1
    filled = json.loads(
        run("generate", "--project", folder, "--json", "--themes", "rain", "--templates", "plain.v1", *small).stdout
    )
    assert filled["written"] == 1
    judged = run("judge", "--project", folder)
    assert "offline critic" in judged.stdout
    assert json.loads(run("status", "--project", folder, "--json").stdout)["next"] == "poetune review"
    assert run("finetune", "--project", folder, "--set", "finetune.rte=1").returncode == 2


def test_ctrl_c_keeps_everything_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stops(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(poetune.commands["status"], "callback", stops)
    with pytest.raises(SystemExit) as stopped:
        main(["status"])
    assert stopped.value.code == 1
    assert "goes on from here" in capsys.readouterr().err
