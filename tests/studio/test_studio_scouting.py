"""Scouting writes part of the same grid, and what it proposes is filled and nothing else."""

from pathlib import Path

import pytest

from poetune.cli.scouting import scouted_text
from poetune.errors import EngineError
from poetune.records import Candidate
from poetune.studio import Studio

SMALL = [
    "finetune.steps=20",
    "finetune.checkpoint_every=1",
    "finetune.keep=0",
    "generate.templates=[plain.v1, airy.v1]",
    "generate.max_tokens=60",
    "generate.themes=[themes.txt]",
    "generate.gates.use=[empty, unfinished]",
]
THEMES = "# concrete\nrain\nsalt\nfog\ncoal\n# abstract\nduty\nsleep\ndebt\nhaste\n"


def test_a_tenth_first_and_then_what_deserves_the_rest(project: Path) -> None:
    (project / "themes.txt").write_text(THEMES, encoding="utf-8")
    with Studio(project, SMALL) as studio:
        studio.finetune()
        with pytest.raises(EngineError, match="nothing was scouted"):
            studio.generate(scouted=True)
        found = studio.scout()
        models = len(found.models)
        assert models > 3
        assert (found.written, len(found.themes), found.whole) == (models * 2 * 3, 3, models * 2 * 8)
        assert set(found.kinds["plain.v1"]) == {"concrete", "abstract"}
        assert studio.scout().written == 0
        kept = [row for row in found.models if row.kept], [row for row in found.templates if row.kept]
        filled = studio.generate(scouted=True)
        assert filled.written == found.rest
        assert (filled.models, filled.templates) == (len(kept[0]), len(kept[1]))
        studio.generate()
        assert studio.store.count(Candidate) == found.whole
    text = scouted_text(found)
    assert "No judge was asked: The offline critic" in text
    assert "concrete" in text
    assert text.splitlines()[-1].startswith("Next: poetune generate --scouted")
