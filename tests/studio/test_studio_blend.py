"""Poets and blends of them in a project: trained once, blended once, in the lineage, and writing like any model."""

import csv
import json
import random
from pathlib import Path

import pytest

from poetune.errors import CorpusError, EngineError, PoetuneError, RecipeError
from poetune.finetune import Way
from poetune.records import Candidate, Model
from poetune.store.queries import best_model, models_of
from poetune.studio import Studio
from poetune.studio.init import create

SMALL = [
    "finetune.steps=4",
    "finetune.validate_every=4",
    "finetune.checkpoint_every=4",
    "finetune.batch=4",
    "finetune.rank=2",
    "dataset.shares=[60, 20, 20]",
    "generate.themes=[rain, salt, a lamp]",
    "generate.templates=[plain.v1]",
    "generate.max_tokens=60",
]


WORDS = "rain salt lamp stone river bread winter door orchard letter moth tide ember wheel field".split()  # noqa: SIM905


def verse(author: str, number: int) -> str:
    a, b, c, d = random.Random(f"{author} {number}").sample(WORDS, 4)
    if author == "Walt Long":
        return (
            f"I sing the long wide road of {a}, and the workers of the {b}, and the sea,\n"
            f"O the ships of {c}, you, you too, and every {d} that goes along with me!"
        )
    return f"The {a} — is {b} —\nAnd I — am {c} —\nA door — a {d} —\nThe {b} — and {a} —"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    rows = [
        json.dumps({"text": verse(author, number), "author": author})
        for author, count in (("Ann Dash", 14), ("Walt Long", 14), ("Few Words", 3))
        for number in range(count)
    ]
    (tmp_path / "two.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    create(tmp_path / "two", "Two", "en", "starter", "echo")
    with Studio(tmp_path / "two", [f"corpus.files=[{tmp_path / 'two.jsonl'}]"]) as studio:
        studio.corpus()
    return tmp_path / "two"


def test_poets_are_trained_once_and_told_apart_by_what_they_write(two: Path) -> None:
    with Studio(two, SMALL) as studio:
        done = studio.poets(poems=3)
        assert [each.stage for each in done.trained] == ["ann-dash", "walt-long"]
        assert done.left_out == ["Few Words"]
        assert done.accuracy == 1.0
        assert done.named.keys() == {"Ann Dash", "Walt Long"}
        assert best_model(studio.store, "echo") is None, "a poet's own adapter is not the project's model"
        assert len(models_of(studio.store, 1, ["ann-dash"])) == 1
        again = studio.poets()
        assert all(each.already for each in again.trained)
        assert studio.poets(["few words"]).trained[0].stage == "few-words"
        with pytest.raises(RecipeError, match="no poem is by `Nobody`"):
            studio.poets(["Nobody"])


def test_a_blend_is_made_once_knows_its_parts_and_writes(two: Path) -> None:
    with Studio(two, SMALL) as studio:
        studio.poets()
        done = studio.blend("dash=0.6,walt-long@4=0.4")
        assert not done.already
        assert studio.blend("dash=0.6,walt-long@4=0.4").already
        model = studio.store.one(Model, done.model)
        assert model is not None
        assert (model.kind, model.name) == ("blend", "dash 0.6 + walt-long@4 0.4 (cat)")
        parts = {key: studio.store.one(Model, key) for key in model.mix}
        assert sorted(model.mix.values()) == [0.4, 0.6]
        assert all(part is not None and part.kind == "checkpoint" for part in parts.values())
        assert studio.base_of(model).id == studio.base_model().id
        studio.generate(stages=["blend"])
        assert {c.model for c in studio.store.all(Candidate)} == {model.id}


def test_another_project_is_a_part_too(two: Path, project: Path) -> None:
    with Studio(project, SMALL) as other:
        other.finetune()
    with Studio(two, SMALL) as studio:
        studio.poets()
        done = studio.blend(f"dash=0.5,{project}=0.5")
        assert any(key.endswith(f" of {project.name}") for key in done.mix)
    with Studio(project, ["base=elsewhere", *SMALL]) as other:
        other.finetune()
    with Studio(two, SMALL) as studio, pytest.raises(EngineError, match="blend adapters of one base"):
        studio.blend(f"dash=0.5,{project}=0.5")


def test_a_dial_is_measured_and_nothing_is_done_twice(two: Path) -> None:
    with Studio(two, SMALL) as studio:
        studio.poets()
        done = studio.dial("dash,long", points=3, poems=4)
        assert [step.weight for step in done.steps] == [0.0, 0.5, 1.0]
        assert all(len(step.positions) == 4 for step in done.steps)
        assert done.steps[0].position < done.steps[-1].position
        assert (done.mean or 0) > 0
        assert done.steps[0].first > done.steps[0].second
        for step in done.steps:
            assert step.first_loss is not None
            assert 0 <= step.copied <= 1
        assert done.steps[0].first_loss < (done.steps[-1].first_loss or 0)  # type: ignore[operator]
        rows = list(csv.DictReader(Path(done.csv).read_text(encoding="utf-8").splitlines()))
        assert [float(row["weight"]) for row in rows] == [0.0, 0.5, 1.0]
        written = studio.store.count(Candidate)
        studio.engine().score = None
        assert studio.dial("dash,long", points=3, poems=4) == done
        assert studio.store.count(Candidate) == written


def test_what_cannot_be_blended_or_measured_is_said(two: Path, project: Path) -> None:
    with Studio(two, SMALL) as studio:
        with pytest.raises(RecipeError, match="poetune finetune poets"):
            studio.blend("dash=1")
        studio.poets(["Ann Dash", "Few Words"])
        cases: list[tuple[type[PoetuneError], str, str]] = [
            (EngineError, "dash,few-words", "needs a share"),
            (EngineError, "dash@3=1", r"steps kept: 4"),
        ]
        for error, mix, words in cases:
            with pytest.raises(error, match=words):
                studio.blend(mix)
        with pytest.raises(EngineError, match="cannot blend by ties"):
            studio.blend("dash=1", Way("ties"))
        with pytest.raises(CorpusError, match="needs 10 poems of each"):
            studio.dial("dash,few-words")
        with pytest.raises(RecipeError, match="names 1; name two"):
            studio.dial("dash")
    with Studio(project, SMALL) as studio, pytest.raises(CorpusError, match="no author has 10 poems"):
        studio.poets()
