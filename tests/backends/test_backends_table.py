import subprocess
import sys

import pytest

from poetune.backends import table
from poetune.errors import EngineError


def test_auto_is_torch_and_without_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(table, "find_spec", lambda name: object())
    assert table.engine_name("auto") == "torch"
    monkeypatch.setattr(table, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(EngineError, match=r'pip install "poetune\[torch\]"'):
        table.engine_name("auto")
    assert table.open_engine("echo").capabilities.name == "echo"


@pytest.mark.parametrize(("name", "words"), [("mlx", "not part of this version"), ("tensorflow", "unknown")])
def test_an_engine_that_is_not_there_is_refused(name, words):
    with pytest.raises(EngineError, match=words):
        table.open_engine(name)


def test_the_table_and_echo_load_no_guest():
    code = (
        "import sys, poetune.backends.table as t; t.open_engine('echo'); print({'torch', 'numpy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
