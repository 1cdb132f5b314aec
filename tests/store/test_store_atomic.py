"""Files and folders that are whole or absent."""

from pathlib import Path

import pytest

from poetune.store.atomic import append_text, new_folder, write_text


def test_a_write_replaces_and_an_append_adds(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "一\r\n")
    append_text(path, "二")
    assert path.read_bytes().decode() == "一\r\n二"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with new_folder(target) as folder:
        write_text(folder / "a", "old")

    def fails() -> None:
        with new_folder(target) as folder:
            write_text(folder / "a", "new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (target / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for names in (("a", "b"), ("c",)):
        with new_folder(tmp_path / "out") as folder:
            for name in names:
                write_text(folder / name, name)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["c"]
