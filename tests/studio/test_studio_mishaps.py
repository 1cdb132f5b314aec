"""Out of order, by hand and twice: what the studio does where a project is not as its last command left it."""

import shutil
from pathlib import Path

import pytest

from poetune.errors import EngineError, RecipeError, ReviewError, StoreError
from poetune.records import Model, Poem
from poetune.store import Store
from poetune.store.queries import best_model, best_of, candidates
from poetune.studio import Studio, demo
from poetune.studio.init import create

SMALL = [
    "finetune.steps=4",
    "finetune.checkpoint_every=2",
    "finetune.validate_every=2",
    "generate.themes=[rain]",
    "generate.templates=[plain.v1]",
    "generate.max_tokens=30",
]


def test_a_poem_written_before_the_grid_is_one_of_its_poems(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        studio.finetune()
        studio.write("rain")
        assert candidates(studio.store, 1) == []
        filled = studio.generate()
        assert (filled.existing, filled.written) == (1, 1)
        assert studio.judge().poems == len(candidates(studio.store, 1)) == 2


def test_a_round_that_brings_nothing_new_does_not_close(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        studio.finetune()
        studio.generate()
        known = studio.store.all(Poem)[0].text
        desk = studio.desk()
        sheet = desk.current().poem
        assert sheet is not None
        desk.decide("t", sheet.item, "accept", body=known)
        desk.close()
        with pytest.raises(ReviewError, match="in the corpus already"):
            studio.close_round()
        assert studio.round.number == 1


def test_deleted_checkpoints_are_named_forgotten_and_trained_again(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        run = studio.finetune().run
        shutil.rmtree(project / "runs" / run / "checkpoint-000004")
        with pytest.raises(EngineError, match=r"is gone.*poetune finetune"):
            studio.generate()
        again = studio.finetune()
        assert (again.already, again.checkpoints) == (True, 1)
        assert studio.generate().models == 1
        shutil.rmtree(project / "runs")
        again = studio.finetune()
        assert (again.already, again.checkpoints, again.run) == (False, 2, run)


def test_models_of_another_engine_neither_write_nor_win(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        studio.finetune()
        strange = Model("checkpoint", "torch", "starter", "runs/x", "step 9", step=9, validation_loss=0.0)
        studio.store.add([strange])
        best = best_model(studio.store, "echo")
        assert best is not None
        assert best.engine == "echo"
        assert studio.generate().models == 2
    with Studio(project, [*SMALL, "base=some/other"]) as studio:
        assert studio.base_of(best).id == best.parent != studio.base_model().id


def test_a_demo_goes_on_in_its_own_language_alone(tmp_path: Path) -> None:
    first = demo.run(tmp_path / "d", "en", "echo", 4, fresh=False)
    assert "in 4 steps" in first.summary
    assert "in 6 steps" in demo.run(tmp_path / "d", "en", "echo", 6, fresh=False).summary
    with pytest.raises(StoreError, match="another language"):
        demo.run(tmp_path / "d", "zh", "echo", 4, fresh=False)
    by_set = demo.run(tmp_path / "e", "en", "auto", 4, fresh=False, overrides=["engine=echo"])
    assert "in 4 steps" in by_set.summary


def test_the_best_is_told_by_training_loss_where_nothing_was_held_out() -> None:
    def model(step: int, train: float | None = None, held: float | None = None) -> Model:
        return Model("checkpoint", "echo", "b", step=step, train_loss=train, validation_loss=held)

    foreign, learned, held = model(900), [model(1, 2.0), model(2, 3.0)], model(3, 9.0, 5.0)
    assert best_of([foreign, *learned]) == learned[0]
    assert best_of([foreign, *learned, held]) == held
    assert best_of([model(1), foreign]) == foreign
    assert best_of([]) is None


def test_judging_again_weighs_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Studio(project, SMALL) as studio:
        studio.finetune()
        studio.generate()
        first = studio.judge()
        monkeypatch.delattr(type(studio.generator()), "score")
        assert studio.judge() == first


def test_a_wrong_override_leaves_no_project_and_a_base_is_kept_as_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecipeError, match="finetune"):
        create(tmp_path / "poet", "", "en", "starter", "echo", overrides=["finetune.stepz=3"])
    (tmp_path / "a #1 base").mkdir()
    monkeypatch.chdir(tmp_path)
    create(tmp_path / "poet", "Ma's: #1\nx", "en", "a #1 base", "echo")
    with Studio(tmp_path / "poet") as studio:
        assert studio.recipe.name == "Ma's: #1 x"
        assert studio.recipe.base == str(tmp_path / "a #1 base")
    with Store(tmp_path / "poet" / "poet.db") as store:
        assert best_model(store, "echo") is None
