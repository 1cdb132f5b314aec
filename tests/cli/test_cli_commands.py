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
    small += ("--set", "generate.gates.use=[]")
    tuned = json.loads(run("finetune", "--project", folder, "--json", *small).stdout)
    assert (tuned["checkpoints"], tuned["stages"][0]["gradient_norm"]) == (1, 0)  # echo counts and has none
    filled = json.loads(
        run("generate", "--project", folder, "--json", "--themes", "rain", "--templates", "plain.v1", *small).stdout
    )
    assert filled["written"] == 1
    judged = run("judge", "--project", folder)
    assert "offline critic" in judged.stdout
    assert json.loads(run("status", "--project", folder, "--json").stdout)["next"] == "poetune review"
    assert run("finetune", "--project", folder, "--set", "finetune.rte=1").returncode == 2


@pytest.mark.parametrize(
    "words",
    [("corpus", "--preview"), ("rounds", "list"), ("score", "copies"), ("score", "losses")],
    ids=" ".join,
)
def test_json_is_one_object(project: Path, words: tuple[str, ...]) -> None:
    small = ("--set", "finetune.steps=4", "--set", "generate.max_tokens=10")
    if words[0] == "score":
        run("finetune", "--project", project, *small)
        run("generate", "--project", project, "--themes", "rain", "--templates", "plain.v1", *small)
    files = [project.parent / "poems"] if words[0] == "corpus" else []
    assert isinstance(json.loads(run(*words, *files, "--project", project, "--json", *small).stdout), dict)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status", "--prjoect", "x"), "did you mean"),
        (("write",), "name a theme"),
        (("write", "rain", "--poems", "0"), "not in the range"),
        (("init", "{file}"), "name another path"),
        (("write", "--continue", "{file}", "--append", "{folder}", "--project", "{folder}"), "name another path"),
        (("judge", "--rubric", "nope.v1", "--project", "{folder}"), "rubric"),
    ],
)
def test_misuse_is_one_line_with_a_remedy(project: Path, words: tuple[str, ...], said: str) -> None:
    file = project.parent / "gbk.txt"
    file.write_bytes("床前明月光，\n".encode("gb18030"))
    small = ("--set", "finetune.steps=4", "--set", "generate.max_tokens=10")
    if words[0] == "judge":
        run("finetune", "--project", project, *small)
        run("generate", "--project", project, "--themes", "rain", "--templates", "plain.v1", *small)
    done = run(*(word.format(file=file, folder=project) for word in words))
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, done.stdout) == (2, "")
    assert last.startswith("poetune: ")
    assert said in last.lower()
    assert "unforeseen" not in last
    assert "Traceback" not in done.stderr
    assert not any(line.startswith("Usage") for line in done.stderr.splitlines())


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
