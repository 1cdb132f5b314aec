import io
import zipfile
from pathlib import Path

import pytest

from poetune.corpus import archive, read
from poetune.errors import CorpusError
from poetune.recipe import Corpus


def _zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)


def test_poems_in_a_zip_and_nothing_of_the_junk(tmp_path: Path) -> None:
    files = {
        "p/Rain.txt": b"rain\nfalls",
        "__MACOSX/p/._Rain.txt": b"\x00\x05\x16",
        "p/._Rain.txt": b"\x00",
        "README.md": b"about this folder",
        "b.zip": b"PK",
        "c.jsonl": '{"title": "雪", "text": "雪\\n落"}'.encode(),
    }
    _zip(tmp_path / "a.zip", files)
    intake = read(Corpus(files=["a.zip"]), tmp_path)
    assert {poem.title for poem in intake.poems} == {"Rain", "雪"}
    assert [skip.file for skip in intake.skipped] == ["a.zip/b.zip"]


def test_names_in_gbk(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("x")
    info.filename = "春天.txt".encode("gb18030").decode("cp437")
    assert archive.entry_name(info) == "春天.txt"


def test_climbing_paths_and_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _zip(tmp_path / "slip.zip", {"../../evil.txt": b"x"})
    with pytest.raises(CorpusError, match="leaves its folder"):
        read(Corpus(files=["slip.zip"]), tmp_path)
    _zip(tmp_path / "bomb.zip", {"a.txt": bytes(40 << 20)})
    with pytest.raises(CorpusError, match="from almost nothing"):
        read(Corpus(files=["bomb.zip"]), tmp_path)
    monkeypatch.setattr(archive, "MOST_BYTES", 10)
    _zip(tmp_path / "big.zip", {"a.txt": b"words " * 10})
    with pytest.raises(CorpusError, match="would unpack"):
        read(Corpus(files=["big.zip"]), tmp_path)
    (tmp_path / "no.zip").write_bytes(b"not a zip")
    with pytest.raises(CorpusError, match="as a zip"):
        read(Corpus(files=["no.zip"]), tmp_path)


def test_a_damaged_entry_does_not_lose_the_others(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as out:
        out.writestr("a.txt", "the first poem")
        out.writestr("b.txt", "the second poem")
    (tmp_path / "a.zip").write_bytes(buffer.getvalue().replace(b"the second poem", b"the sec0nd poem"))
    intake = read(Corpus(files=["a.zip"]), tmp_path)
    assert [poem.text for poem in intake.poems] == ["the first poem"]
    assert "CRC" in intake.skipped[0].why
