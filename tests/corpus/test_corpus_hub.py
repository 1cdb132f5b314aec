import sys
from pathlib import Path

import pytest

from poetune.corpus import read
from poetune.errors import CorpusError
from poetune.recipe import Corpus

CSV = 'author,content,poem name,age\nA,"one rose\nfor you",The Rose,Renaissance\nB,"two ships",Ships,Modern\n'


def test_a_local_data_set_folder(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/train.csv").write_text(CSV)
    read_back = read(Corpus(files=["hub:set"], where={"age": "renaissance"}), tmp_path)
    assert [(p.title, p.text) for p in read_back.poems] == [("The Rose", "one rose\nfor you")]
    rows = {"content": ["one rose\nfor you", "two ships"], "poem name": ["The Rose", None]}
    saved = datasets.Dataset.from_dict(rows)
    datasets.disable_progress_bars()
    saved.save_to_disk(str(tmp_path / "saved"))
    datasets.DatasetDict({"train": saved}).save_to_disk(str(tmp_path / "dict"))
    for files in (["hub:saved"], ["hub:dict"], [f"hub:{tmp_path}/saved"], ["saved"]):
        intake = read(Corpus(files=files), tmp_path)
        assert [(p.title, p.text) for p in intake.poems] == [("The Rose", "one rose\nfor you"), ("", "two ships")]


def test_without_the_library_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(CorpusError, match="pip install"):
        read(Corpus(files=["hub:merve/poetry"]), tmp_path)
