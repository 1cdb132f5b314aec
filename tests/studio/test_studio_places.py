"""What the studio writes never takes the place of something that is the user's."""

from pathlib import Path

import pytest

from poetune.errors import EngineError, RecipeError
from poetune.ship.bundle import SUMS
from poetune.studio import Studio
from poetune.studio.ship import check_place


def test_a_bundle_replaces_bundles_and_empty_folders_only(tmp_path: Path) -> None:
    for free in ("new", "empty", "bundle"):
        check_place(tmp_path / free)
        (tmp_path / free).mkdir()
    (tmp_path / "bundle" / SUMS).write_text("", encoding="utf-8")
    check_place(tmp_path / "bundle")
    (tmp_path / "poem.txt").write_text("mine", encoding="utf-8")
    for taken in (tmp_path, tmp_path / "poem.txt"):
        with pytest.raises(EngineError, match="holds something that is no bundle"):
            check_place(taken)


def test_edited_themes_outlive_a_second_writing(project: Path) -> None:
    path = project / "themes.csv"
    with Studio(project) as studio:
        studio.themes(path)
        text = (
            path.read_text(encoding="utf-8").replace("wet plate", "weight").replace("Wet Plate,title", "weight,title")
        )
        assert "weight,title" in text
        path.write_text(text, encoding="utf-8")
        studio.themes(path)
        assert "weight,yours" in path.read_text(encoding="utf-8")
    with Studio(project, ["dataset.themes=themes.csv"]) as studio:
        studio.themes(project / "other.csv")
        assert "weight,yours" in (project / "other.csv").read_text(encoding="utf-8")
        with pytest.raises(RecipeError, match="columns `poem` and `theme`"):
            studio.themes(project / "poet.yaml")
