"""The chain of custody of a poem, and a data set made again from its records."""

import hashlib
from pathlib import Path

import pytest

from poetune.errors import RecipeError, ReviewError, StoreError
from poetune.records import Candidate, Dataset, Poem, Review, Vote
from poetune.rounds.guards import GUARDS
from poetune.studio import Studio

SMALL = [
    "finetune.steps=4",
    "finetune.checkpoint_every=4",
    "finetune.batch=2",
    "generate.themes=[rain, salt]",
    "generate.templates=[plain.v1]",
    "generate.max_tokens=30",
    "dataset.templates=[pause.v1, plain.v1, mine.v1]",
]


@pytest.fixture
def walked(project: Path) -> Path:
    """Two rounds, an edited poem among the accepted."""
    (project / "templates").mkdir()
    (project / "templates" / "mine.v1.yaml").write_text('user: "On {theme}:"\n', encoding="utf-8")
    with Studio(project, SMALL) as studio:
        for number in (1, 2):
            studio.finetune()
            studio.generate()
            studio.judge()
            written = studio.store.all(Candidate, "round = ?", [number])
            studio.store.add([Review(f"undo{number}", written[0].id, "reject", "ada", note="dull")])
            studio.store.add([Review(f"u{number}", written[0].id, "undo", "ada", cancels=f"undo{number}")])
            studio.store.add(
                [Review(f"t{number}", written[0].id, "accept", "ada", body=f"A mended line {number}.\nTwo.")]
            )
            studio.close_round(GUARDS)
        studio.store.add([Vote("v", written[0].id, written[1].id, "left", "ada")])
    return project


def test_a_poem_is_followed_to_the_base_and_to_every_act_on_it(walked: Path) -> None:
    with Studio(walked, SMALL) as studio:
        poem = studio.store.all(Poem, "origin = 'round:2'")[0]
        chain = studio.explain("a mended line 2.")
        assert (chain.id, chain.text) == (poem.id, "A mended line 2.\nTwo.")
        names = [link.what for link in chain.links]
        assert ", ".join(dict.fromkeys(names)) == (
            "poem, candidate, seed, prompt, model, run, recipe, data set, parent, verdict, review, vote"
        )
        links = {link.what: link for link in chain.links}
        assert links["candidate"].id == poem.parent
        assert "theme 'rain' in plain.v1" in links["prompt"].said
        assert "1 poem of round 1" in links["data set"].said
        assert "8 poems of the corpus" in links["data set"].said
        assert "rank 8" in links["recipe"].said
        assert links["parent"].said.startswith("base base, base starter")
        assert [link.said.split(" by")[0] for link in chain.links if link.what == "review"] == [
            "reject",
            "undo",
            "accept",
        ]
        assert "body edited" in links["review"].said
        assert links["vote"].said == "left by ada, shown on the left"
        assert studio.explain(poem.parent) == studio.explain(poem.id[:8]) == chain
        first = studio.explain(studio.store.all(Poem, "origin = 'round:1'")[0].id)
        learned = [link for link in first.links if link.what == "in data set"]
        assert len(learned) == 1
        assert "weight 1" in learned[0].said
        assert "trained by" in learned[0].said
        assert [link.what for link in studio.explain("Road Salt").links][:2] == ["poem", "in data set"]


def test_what_is_not_one_poem_is_said(walked: Path) -> None:
    with Studio(walked, SMALL) as studio:
        with pytest.raises(ReviewError, match="no poem has the id, title or line 'nowhere'"):
            studio.explain("nowhere")
        studio.store.add([Poem("Another one.\nTwo."), Poem("A third.\nTwo.")])
        with pytest.raises(ReviewError, match=r"4 poems are called 'Two.': .*give one of these ids"):
            studio.explain("Two.")


def test_every_data_set_is_made_again_to_the_byte(walked: Path, tmp_path: Path) -> None:
    with Studio(walked, [*SMALL, "finetune.stages=[{name: verse, kind: dapt}, {name: asked}]"]) as studio:
        studio.dataset()
        studio.themes(walked / "themes.csv")
        sets = studio.store.all(Dataset)
        assert len(sets) == 4
        files = {}
        for data in sets:
            made = studio.rebuild(data.id[:6], tmp_path / data.id)
            files[data.id] = (tmp_path / data.id).read_bytes()
            assert hashlib.sha256(files[data.id]).hexdigest() == made.sha256
            assert files[data.id].count(b"\n") == made.examples == len(data.examples)
        studio.store.add([Poem("A poem that came later.\nIt changes no older data set.")])
        assert (walked / "datasets").exists() is False
        again = studio.rebuild()
        assert Path(again.file).read_bytes() == files[sets[-1].id]


def test_a_changed_template_or_an_unknown_data_set_is_said(walked: Path) -> None:
    with Studio(walked, SMALL) as studio:
        with pytest.raises(StoreError, match="0 data sets have an id that begins with 'zz'"):
            studio.rebuild("zz")
        (walked / "templates" / "mine.v1.yaml").write_text('user: "Of {theme}:"\n', encoding="utf-8")
        with pytest.raises(RecipeError, match=r"another text of the template mine\.v1"):
            studio.rebuild()
