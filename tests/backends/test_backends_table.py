import subprocess
import sys

import pytest

from poetune.backends import table
from poetune.errors import EngineError


@pytest.mark.parametrize(
    ("machine", "installed", "chosen"),
    [
        (("Darwin", "arm64"), {"mlx", "torch"}, "mlx"),
        (("Darwin", "arm64"), {"torch"}, "torch"),
        (("Darwin", "x86_64"), {"mlx", "torch"}, "torch"),
        (("Linux", "x86_64"), {"mlx", "torch"}, "torch"),
        (("Linux", "aarch64"), {"mlx"}, "mlx"),
    ],
)
def test_auto_takes_what_the_machine_is_made_for(monkeypatch, machine, installed, chosen):
    monkeypatch.setattr(table.platform, "system", lambda: machine[0])
    monkeypatch.setattr(table.platform, "machine", lambda: machine[1])
    monkeypatch.setattr(table, "find_spec", lambda name: None if name in {"mlx", "torch"} - installed else object())
    assert table.engine_name("auto") == chosen


@pytest.mark.parametrize(("machine", "extra"), [(("Darwin", "arm64"), "mlx"), (("Linux", "x86_64"), "torch")])
def test_without_an_engine_auto_says_what_to_install(monkeypatch, machine, extra):
    monkeypatch.setattr(table.platform, "system", lambda: machine[0])
    monkeypatch.setattr(table.platform, "machine", lambda: machine[1])
    monkeypatch.setattr(table, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=rf'pip install "poetune\[{extra}\]"'):
        table.engine_name("auto")
    assert table.open_engine("echo").capabilities.name == "echo"


def test_an_engine_that_is_not_there_is_refused(monkeypatch):
    with pytest.raises(EngineError, match="unknown"):
        table.open_engine("tensorflow")
    monkeypatch.setattr(table, "find_spec", lambda name: None if name == "mlx_lm" else object())
    with pytest.raises(
        EngineError, match=r'mlx needs mlx_lm, which is not installed; run pip install "poetune\[mlx\]"'
    ):
        table.open_engine("mlx")


def test_the_table_and_echo_load_no_guest():
    code = (
        "import sys, poetune.backends.table as t; t.open_engine('echo'); print({'torch', 'numpy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_mlx_loads_no_torch():
    pytest.importorskip("mlx_lm")
    code = (
        "import sys, poetune.backends.table as t; t.open_engine('mlx'); "
        "print({'torch', 'peft', 'poetune.backends.torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n" or "torch" in sys.modules
