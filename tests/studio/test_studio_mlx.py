"""A project on mlx from poems to bundles, and adapters that cross to it and away from it."""

import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("mlx_lm")
sys.path.insert(0, str(Path(__file__).parent.parent / "backends"))

import miniatures_numpy
import mlx_trainings
from click.testing import CliRunner

from poetune.backends.table import open_engine
from poetune.cli.group import poetune
from poetune.ship.bundle import verify
from poetune.store.queries import candidates
from poetune.studio import Studio, demo
from poetune.studio.init import create


@pytest.fixture
def settings(tmp_path: Path) -> list[str]:
    base = miniatures_numpy.base(tmp_path / "base")
    return [
        f"base={base}", "engine=mlx", "finetune.steps=4", "finetune.checkpoint_every=2", "finetune.validate_every=2",
        "finetune.batch=2", "finetune.rank=2", "finetune.layers=1", "finetune.rate=0.02", "generate.max_tokens=8",
        "generate.templates=[plain.v1]", "generate.themes=[rain, salt]", "score.prompts=2",
    ]  # fmt: skip


def test_from_poems_to_a_report_and_a_bundle_for_either_world(project: Path, settings: list[str]) -> None:
    with Studio(project, settings) as studio:
        tuned = studio.finetune()
        assert (tuned.steps, tuned.checkpoints) == (4, 2)
        studio.generate()
        assert len(candidates(studio.store, 1)) == 4
        studio.judge()
        assert (project / "cache").is_dir()
        assert Path(studio.report().html).is_file()
        own, peft, merged = studio.ship("adapter"), studio.ship("adapter", wanted="peft"), studio.ship("merged")
    for shipped, file in ((own, "adapters"), (peft, "adapter_model"), (merged, "model")):
        assert f"{file}.safetensors" in shipped.files
        assert verify(Path(shipped.path)) == ()
    cards = [(Path(each.path) / "README.md").read_text(encoding="utf-8") for each in (own, peft, merged)]
    assert ["library_name: mlx" in cards[0], "library_name: peft" in cards[1]] == [True, True]
    assert "from mlx_lm import generate, load" in cards[0]
    assert "PeftModel" in cards[1]


def test_the_demo_runs_to_its_end_and_a_second_time_writes_nothing(settings: list[str], tmp_path: Path) -> None:
    cut = [settings[0], "generate.templates=[plain.v1]", "generate.max_tokens=6", "finetune.batch=2", "score.prompts=2"]
    cut.append("generate.gates.use=[]")  # so small a model writes no language
    shown = demo.run(tmp_path / "demo", "en", "mlx", 2, fresh=False, overrides=cut)
    assert "100 poems learned in 2 steps; validation loss" in shown.summary
    assert len(shown.best) == 5
    assert Path(shown.report).is_file()
    again = demo.run(tmp_path / "demo", "en", "mlx", 2, fresh=False, overrides=cut)
    assert [each.id for each in again.best] == [each.id for each in shown.best]


def test_the_code_on_the_card_of_an_mlx_adapter_writes(project: Path, settings: list[str], monkeypatch, capsys) -> None:
    with Studio(project, settings) as studio:
        studio.finetune()
        shipped = Path(studio.ship("adapter").path)
    code = (shipped / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    base = json.loads(json.dumps(settings[0])).partition("=")[2]
    (shipped / "use.py").write_text(code.replace(repr("path/to/base"), repr(base)), encoding="utf-8")
    monkeypatch.chdir(shipped)
    runpy.run_path("use.py")
    assert capsys.readouterr().out.strip()


def test_the_command_line_takes_a_format_and_a_folder(project: Path, settings: list[str], tmp_path: Path) -> None:
    with Studio(project, settings) as studio:
        studio.finetune()
    given = [word for one in settings for word in ("--set", one)]
    to = ["--to", "peft", "--to", str(tmp_path / "out")]
    done = CliRunner().invoke(poetune, ["ship", "adapter", *to, "--project", str(project), *given])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()
    twice = ["ship", "adapter", "--to", "mlx", "--to", "peft", "--project", str(project)]
    assert "one folder and one format" in CliRunner().invoke(poetune, twice).output
    merged = CliRunner().invoke(poetune, ["ship", "merged", "--to", "mlx", "--project", str(project), *given])
    assert "only an adapter is converted to mlx" in str(merged.exception)


def test_step_files_of_mlx_lm_become_models_that_write(project: Path, settings: list[str], tmp_path: Path) -> None:
    base, theirs = settings[0].partition("=")[2], tmp_path / "adapters"
    theirs.mkdir()
    for step in (100, 300):
        asked = mlx_trainings.settings(steps=1, rate=step / 1000, schedule="constant")
        list(open_engine("mlx").train(mlx_trainings.job(base, tmp_path / str(step), asked)))
        made = tmp_path / str(step) / "checkpoint-000001"
        shutil.copy(made / "adapters.safetensors", theirs / f"{step:07d}_adapters.safetensors")
        shutil.copy(made / "adapter_config.json", theirs)
    with Studio(project, settings) as studio:
        assert [each["step"] for each in studio.register(theirs)] == [100, 300]
        studio.generate()
        written = candidates(studio.store, 1)
        assert len({c.model for c in written}) == 2
        assert len({c.text for c in written}) == 4
        shipped = studio.ship("adapter", wanted="peft")
        assert "adapter_model.safetensors" in shipped.files


def test_an_adapter_from_elsewhere_ships_where_there_are_no_poems(settings: list[str], tmp_path: Path) -> None:
    base, theirs = settings[0].partition("=")[2], tmp_path / "adapters"
    theirs.mkdir()
    list(open_engine("mlx").train(mlx_trainings.job(base, tmp_path / "run", mlx_trainings.settings(steps=1))))
    made = tmp_path / "run" / "checkpoint-000001"
    shutil.copy(made / "adapters.safetensors", theirs / "0000100_adapters.safetensors")
    shutil.copy(made / "adapter_config.json", theirs)
    create(tmp_path / "poet", "The Keeper", "en", base, "mlx")
    with Studio(tmp_path / "poet") as studio:
        studio.register(theirs)
        card = (Path(studio.ship("adapter").path) / "README.md").read_text(encoding="utf-8")
    assert "trained elsewhere" in card
    assert "## Training" not in card
