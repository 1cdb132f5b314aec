"""Stages in one command: each from the merged best of the one before; killed anywhere, the chain goes on."""

import json
import shutil
from pathlib import Path

import pytest

from poetune.errors import EngineError, RecipeError
from poetune.ports import ScoreRequest
from poetune.records import Dataset, Model, Poem, Run
from poetune.store.queries import ancestors, best_model, best_of, checkpoints, merged_of, models_of
from poetune.studio import Studio

STAGES = (
    "finetune.stages=[{name: verse, kind: dapt, steps: 4}, "
    "{name: first, templates: [pause.v1], shares: [60, 20, 20]}, {name: asked, steps: 4}]"
)
SMALL = [
    STAGES,
    "finetune.steps=6",
    "finetune.report_every=2",
    "finetune.validate_every=2",
    "finetune.checkpoint_every=2",
    "finetune.batch=2",
    "dataset.shares=[60, 20, 20]",
    "generate.themes=[rain, salt]",
    "generate.templates=[plain.v1]",
    "generate.max_tokens=30",
    "score.prompts=1",
]


class Killed(BaseException):
    pass


def runs(studio: Studio) -> dict[str, Run]:
    return {run.stage: run for run in studio.store.all(Run)}


def losses(folder: Path, settings: list[str]) -> dict[str, object]:
    with Studio(folder, settings) as studio:
        studio.finetune()
        return {name: studio.store.losses(run.id) for name, run in runs(studio).items()}


def test_a_chain_has_one_lineage_from_the_base_to_the_last_checkpoint(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        done = studio.finetune()
        assert [each.stage for each in done.stages] == ["verse", "first", "asked"]
        found = runs(studio)
        base = studio.base_model()
        assert found["verse"].parent == base.id
        for before, after in (("verse", "first"), ("first", "asked")):
            merged = merged_of(studio.store, found[before].id)
            best = best_of(checkpoints(studio.store, found[before].id))
            assert merged is not None
            assert best is not None
            assert (merged.kind, merged.parent, merged.base) == ("merged", best.id, f"runs/{found[before].id}/merged")
            assert merged.id == found[after].parent
            assert {m.base for m in checkpoints(studio.store, found[after].id)} == {merged.base}
        best = best_model(studio.store, "echo")
        assert best is not None
        assert best.run == done.run == found["asked"].id
        assert {m.run for m in models_of(studio.store, 1)} == {done.run}
        assert [m.kind for m in ancestors(studio.store, best)] == ["base", "merged", "merged"]
        assert studio.base_of(best).id == base.id


def test_a_merged_stage_scores_as_its_best_checkpoint_does(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        done = studio.finetune("verse")
        assert done.stages[-1].stage == "verse"
        studio.finetune()
        run = runs(studio)["verse"].id
        merged, best = merged_of(studio.store, run), best_of(checkpoints(studio.store, run))
        assert merged is not None
        assert best is not None
        asked = [ScoreRequest(studio.weights(m), "The plate is wet.", plain=True) for m in (merged, best)]
        one, two = studio.generator().score(asked)
        assert one == two


def test_each_stage_has_data_of_its_own(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        studio.store.add([Poem("Kept from the last round.\nA line.", theme="x", origin="round:1", parent="c")])
        studio.finetune()
        rows = {name: studio.store.one(Dataset, run.dataset) for name, run in runs(studio).items()}
        from poetune.studio.dataset import examples

        made = {name: examples(studio, data) for name, data in rows.items() if data}
    assert all(row.plain and not row.conversation.messages for row in made["verse"])
    assert {row.conversation.lead for row in made["first"]} == {"\n"}
    assert {row.conversation.lead for row in made["asked"]} == {""}
    assert {row.plain for row in made["asked"]} == {False}


def test_files_select_poems_and_what_came_back_is_asked_for(project: Path) -> None:
    stages = "finetune.stages=[{name: verse, kind: dapt, data: [Bees.txt, 'Road*']}, {name: asked, data: [poems]}]"
    with Studio(project, [*SMALL[1:], stages, "finetune.steps=2"]) as studio:
        studio.store.add([Poem("Kept from the last round.\nA line.", theme="x", origin="round:1", parent="c")])
        studio.finetune()
        datasets = {name: studio.store.one(Dataset, run.dataset) for name, run in runs(studio).items()}
        assert {name: len(data.examples) for name, data in datasets.items() if data} == {"verse": 2, "asked": 9}
    with (
        Studio(project, [*SMALL[1:], "finetune.stages=[{name: a, data: [nowhere.txt]}]"]) as studio,
        pytest.raises(RecipeError, match=r"nowhere\.txt.*the sources are"),
    ):
        studio.finetune()


def test_poems_learned_in_one_stage_and_held_out_of_another_are_said(project: Path) -> None:
    stages = "finetune.stages=[{name: verse, kind: dapt, shares: [100, 0, 0]}, {name: asked}]"
    with Studio(project, [*SMALL[1:], stages]) as studio:
        studio.finetune()
        assert any("learned in an earlier one" in said for said in studio.listener.said)  # type: ignore[attr-defined]
    with Studio(project, SMALL) as studio:
        studio.finetune()
        assert not any("learned in an earlier" in said for said in studio.listener.said)  # type: ignore[attr-defined]


def test_a_finished_chain_does_nothing_and_a_deleted_merge_is_made_again(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        first = studio.finetune()
        trains = studio.engine().train
        studio.engine().train = None  # would be called if anything were trained
        again = studio.finetune()
        assert again.already
        assert [s.run for s in again.stages] == [s.run for s in first.stages]
        verse = project / "runs" / first.stages[0].run
        for folder in verse.glob("checkpoint-*"):
            shutil.rmtree(folder)
        assert studio.finetune().already  # what the next stage starts from is there
        merged = project / "runs" / first.stages[1].run / "merged"
        shutil.rmtree(merged)
        with pytest.raises(EngineError, match=r"merged weights .* are gone.*poetune finetune"):
            studio.generate()
        assert studio.finetune().already
        assert merged.is_dir()
        assert studio.generate().models == first.checkpoints
        studio.engine().train = trains


@pytest.mark.parametrize("after", [3, 9, 14, 20, 27])
def test_a_killed_chain_goes_on_to_the_same_losses(project: Path, after: int, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(project, whole)
    expected = losses(whole, SMALL)
    with Studio(project, SMALL) as studio:
        train, seen = studio.engine().train, 0

        def dies(job: object) -> object:
            nonlocal seen
            for event in train(job):
                yield event
                seen += 1
                if seen == after:
                    raise Killed

        studio.engine().train = dies
        with pytest.raises(Killed):
            studio.finetune()
    assert losses(project, SMALL) == expected


def test_a_kill_between_merging_and_its_row_merges_again(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        merge = studio.engine().merge

        def dies(weights: object, out: Path) -> None:
            merge(weights, out)
            raise Killed

        studio.engine().merge = dies
        with pytest.raises(Killed):
            studio.finetune()
        assert not studio.store.all(Model, "kind = 'merged'")
    with Studio(project, SMALL) as studio:
        assert [s.already for s in studio.finetune().stages] == [True, False, False]


def test_a_wrong_stage_is_refused_before_anything_trains(project: Path) -> None:
    with Studio(project, [*SMALL[1:], "finetune.stages=[{name: a}, {name: b, method: full}]"]) as studio:
        with pytest.raises(EngineError, match="method full"):
            studio.finetune()
        with pytest.raises(RecipeError, match="no stage is called `c`; there are a, b"):
            studio.finetune("c")
        assert studio.store.all(Run) == []
    with pytest.raises(RecipeError, match="add up to 100"):
        Studio(project, ["finetune.stages=[{name: a, shares: [90, 20]}]"])
    with pytest.raises(RecipeError, match="no stage may be called base"):
        Studio(project, ["finetune.stages=[{name: base}, {name: b}]"])


def test_the_loss_table_and_the_report_tell_all_stages(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        studio.finetune()
        rows = studio.losses().rows
        assert [row["model"] for row in rows if row["split"] == "test"][:3] == ["base", "verse", "first"]
        told = studio.report()
        page = Path(told.html).read_text(encoding="utf-8")
        assert page.count("merged into its base for the next stage") == 2


def test_sample_poems_are_kept_once_and_shown(project: Path) -> None:
    asks = ["finetune.sample_every=2", "finetune.sample_prompts=[a lamp, tin]"]
    with Studio(project, [*SMALL, *asks]) as studio:
        done = studio.finetune()
        told = studio.listener.said  # type: ignore[attr-defined]
        assert sum(text.startswith("sample at step 2, “a lamp”") for text in told) == 3
        for stage in done.stages:
            kept = (project / "runs" / stage.run / "samples.jsonl").read_text(encoding="utf-8").splitlines()
            rows = [json.loads(line) for line in kept]
            assert len(rows) == len({(row["step"], row["prompt"]) for row in rows}) == stage.steps
        verse = json.loads((project / "runs" / done.stages[0].run / "samples.jsonl").read_text("utf-8").split("\n")[0])
        assert verse["template"] == "verse.v1"
        assert verse["text"].startswith("a lamp")


def test_early_stop_is_said_and_kept(project: Path) -> None:
    settings = [*SMALL[1:], "finetune.patience=1", "finetune.steps=400", "finetune.validate_every=1"]
    with Studio(project, settings) as studio:
        done = studio.finetune()
        assert "stopped early" in done.stopped
        assert done.steps < 400
        assert any("stopped early" in said for said in studio.listener.said)  # type: ignore[attr-defined]
        again = studio.finetune()
        assert (again.already, again.stopped) == (True, done.stopped)


def test_the_best_checkpoint_is_marked_in_the_status(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        done = studio.finetune()
        trained = {each.stage: each for each in studio.status().trained}
        assert [each.role for each in trained.values()] == ["earlier", "earlier", "last"]
        assert [name for name, each in trained.items() if each.best] == ["asked"]
        assert trained["asked"].best_step == done.best_step


@pytest.mark.torch
def test_a_chain_on_the_bundled_base_is_base_plus_both_adapters(project: Path) -> None:
    settings = [
        *SMALL[1:],
        "engine=torch",
        "finetune.rank=2",
        "finetune.steps=4",
        "finetune.stages=[{name: verse, kind: dapt}, {name: asked, method: lora}]",
    ]
    with Studio(project, settings) as studio:
        done = studio.finetune()
        trained = [f"{each.trained / each.parameters:.4f}" for each in done.stages]
        assert trained[0] == trained[1] != "1.0000"
        verse = done.stages[0].run
        merged, best = merged_of(studio.store, verse), best_of(checkpoints(studio.store, verse))
        assert merged is not None
        assert best is not None
        asked = [ScoreRequest(studio.weights(m), "The plate is wet.\nSlowly.", plain=True) for m in (merged, best)]
        one, two = studio.generator().score(asked)
        assert one.log_likelihood == pytest.approx(two.log_likelihood, abs=2e-3)
        plain = ScoreRequest(studio.weights(studio.base_model()), asked[0].completion, plain=True)
        assert abs(one.log_likelihood - studio.generator().score([plain])[0].log_likelihood) > 1e-3
        assert studio.generate(max_themes=1).written == len(checkpoints(studio.store, done.run))
        with pytest.raises(EngineError, match="poetune ship merged"):
            studio.ship("adapter")
        shipped = studio.ship("merged")
        assert "model.safetensors" in shipped.files
        assert "the starter base" in (Path(shipped.path) / "README.md").read_text(encoding="utf-8")
    with Studio(project, settings) as studio:
        assert studio.finetune().already


def test_base_and_stages_may_write_side_by_side(project: Path) -> None:
    with Studio(project, [*SMALL, "generate.checkpoints=1"]) as studio:
        studio.finetune()
        done = studio.generate(max_themes=1, stages=["base", "verse", "asked"])
        assert (done.models, done.written) == (3, 3)
        assert studio.generate(max_themes=1).models == 1
        with pytest.raises(EngineError, match="no checkpoint to write with of nobody"):
            studio.generate(stages=["nobody"])
        assert studio.judge().poems == 3
