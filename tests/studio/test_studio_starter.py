"""What ships is what was made: altered or missing files are refused by their hash with the remedy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from poetune.errors import EngineError
from poetune.generate.themes import bundled
from poetune.studio import starter


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copytree(starter.FOLDER / "base", tmp_path / "base")
    monkeypatch.setattr(starter, "FOLDER", tmp_path)
    starter.base_folder.cache_clear()
    yield tmp_path / "base"
    starter.base_folder.cache_clear()


def test_the_bundled_base_is_whole_and_small(copied: Path) -> None:
    assert starter.base_folder() == copied
    assert sum(p.stat().st_size for p in copied.glob("*.safetensors")) < 25_000_000


def test_a_truncated_file_is_refused(copied: Path) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(EngineError, match=r"model\.safetensors is not the file that was shipped.*tools\.starter build"):
        starter.base_folder()


def test_a_missing_file_says_how_to_rebuild(copied: Path) -> None:
    (copied / "config.json").unlink()
    with pytest.raises(EngineError, match=r"config\.json is missing.*tools\.starter build"):
        starter.base_folder()
    shutil.rmtree(copied)
    with pytest.raises(EngineError, match=r"tools\.starter build"):
        starter.base_folder()


@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_the_starter_poems_are_distinct_and_have_title_and_theme(tongue: str) -> None:
    poems = list(starter.poems(tongue))
    assert len(poems) >= 100
    assert len({p.text for p in poems}) == len({p.title for p in poems}) == len(poems)
    assert all(p.title and p.theme and p.language == tongue for p in poems)
    assert list(dict.fromkeys(theme.group for theme in bundled(tongue))) == [
        "concrete",
        "abstract",
        "compound",
        "unusual",
    ]
