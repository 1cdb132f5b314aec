import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import launches  # noqa: E402
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from poetune.backends.rows import Row  # noqa: E402
from poetune.backends.torch.crew import Alone, share  # noqa: E402
from poetune.records import Model  # noqa: E402
from poetune.studio import Studio  # noqa: E402
from poetune.studio.init import create  # noqa: E402
from tests.conftest import POEMS  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.skipif(os.name == "nt", reason="launches by fork")]
RECIPE = """
finetune: {rank: 2, modules: [q_proj, down_proj], dropout: 0, batch: 3, steps: 5, warmup: 1, rate: 0.01, layers: 1,
  report_every: 1, validate_every: 2, checkpoint_every: 2, stages: [{name: verse, kind: dapt, steps: 2}, {name: asked}]}
"""


@pytest.fixture(scope="module")
def built(mini, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    for title, text in POEMS.items():
        (folder / f"{title}.txt").write_text(text, "utf-8")
    create(folder / "poet", "The Keeper", "en", mini("llama"), "torch")
    recipe = folder / "poet" / "poet.yaml"
    head, _, rest = recipe.read_text("utf-8").partition("finetune:")
    recipe.write_text(head + RECIPE + rest.partition("\n\n")[2], "utf-8")
    with Studio(folder / "poet", [f"corpus.files=[{folder}]"]) as studio:
        studio.corpus()
        studio.dataset()
    return folder / "poet"


@pytest.fixture
def project(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "poet"))


@pytest.fixture(scope="module")
def alone(built, tmp_path_factory):
    """What one process makes of it."""
    folder = Path(shutil.copytree(built, tmp_path_factory.mktemp("alone") / "poet"))
    return outcome(folder)


def outcome(folder):
    """Train what is left to train, in this process; losses by stage, kind and step, and the last adapter."""
    with Studio(folder) as studio:
        done = studio.finetune()
        losses = {
            (each.stage, kind, step): loss
            for each in done.stages
            for step, kind, loss, _ in studio.store.losses(each.run)
        }
        last = max((m for m in studio.store.all(Model) if m.run == done.run), key=lambda m: m.step)
    return done.run, losses, load_file(folder / last.adapter / "adapter_model.safetensors")


def assert_same(found, alone):
    assert found[0] == alone[0]
    assert found[1] == pytest.approx(alone[1], rel=1e-5)
    assert found[2].keys() == alone[2].keys()
    assert all(torch.allclose(tensor, alone[2][name], rtol=1e-3, atol=2e-5) for name, tensor in found[2].items())


@given(st.lists(st.integers(2, 60), max_size=30), st.integers(1, 5))
def test_each_row_goes_to_one_process_and_none_has_a_row_more_to_read_than_another(lengths, size):
    rows = [Row((0,) * n, 1) for n in sorted(lengths)]
    crew = Alone()
    crew.size = size
    parts = []
    for crew.rank in range(size):
        parts.append(share(rows, crew))
        assert parts[-1] == sorted(parts[-1], key=lambda row: len(row.ids))
    assert sorted((row for part in parts for row in part), key=lambda row: len(row.ids)) == rows
    tokens = [sum(len(row.ids) for row in part) for part in parts]
    assert max(tokens) - min(tokens) <= max(lengths, default=0)


def test_two_launched_processes_train_what_one_does_and_only_the_first_writes(project, alone, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        f"import os, sys\nif os.environ.get('RANK') == '1':\n    sys.path.append({str(Path(__file__).parent)!r})\n"
        f"    import launches\n    launches.watch_writes({str(tmp_path / 'written')!r})\n"
    )
    paths = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launcher, "-m", "poetune", "finetune"],
        cwd=project,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("2 processes train together") == 2  # once a stage
    assert done.stdout.count("Next: poetune generate") == 1
    assert_same(outcome(project), alone)
    written = (tmp_path / "written").read_text("utf-8").splitlines()
    assert written  # something was heard, /dev/null at least
    assert [line for line in written if str(project) in line or line.startswith("sqlite3")] == []


def test_too_little_memory_in_one_process_makes_all_take_fewer_rows_and_the_same_steps(project, alone):
    (code, said), (other, _) = launches.launch(project, "finetune", trouble="memory")
    assert (code, other) == (0, 0), said
    assert "from here on 1; the step's batch stays as it is" in said
    assert_same(outcome(project), alone)


def test_what_goes_wrong_in_one_process_is_one_sentence_of_the_first(project):
    (code, said), (other, silent) = launches.launch(project, "finetune", trouble="error")
    assert (code, other) == (2, 0)
    assert said.splitlines()[-1] == "poetune: the process of rank 1 of 2 says: ValueError: a cosmic ray."
    assert silent == ""


def test_a_killed_process_stops_the_others_and_one_alone_goes_on_to_the_same_end(project, alone):
    (code, said), (unharmed, _), (other, _) = launches.launch(project, "finetune", trouble="killed", size=3)
    assert (code, unharmed, other) == (2, 0, -9)
    assert said.splitlines()[-1].startswith("poetune: finetune: the process of rank 2 of 3 has ended (killed")
    assert "Traceback" not in said
    assert (next((project / "runs").glob("*/checkpoint-000002/resume"))).is_dir()
    assert_same(outcome(project), alone)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("status",), "poetune status works in one process; the others of this launch have ended."),
        (("finetune", "--set", "engine=echo"), "the engine echo trains in one process; the others have ended."),
        (("finetune", "--set", "finetune.rate=no"), "poetune: "),
    ],
)
def test_what_one_process_does_alone_lets_the_others_go(project, arguments, sentence):
    (code, said), (other, silent) = launches.launch(project, *arguments)
    assert (code, other, silent) == (2 if "no" in arguments[-1] else 0, 0, "")
    assert sentence in said
