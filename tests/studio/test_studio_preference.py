"""The stage that learns from reviews: too few decisions, guards that refuse, and a lineage down to the base."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poetune.errors import EngineError, RecipeError, ReviewError
from poetune.ports import Request, Written
from poetune.records import Candidate, Example, Prompt, Review, Run, Sampling, Vote
from poetune.rounds.guards import GUARDS
from poetune.store.queries import ancestors, best_of, models_of, role_of
from poetune.studio import Studio

SMALL = [
    "engine=torch",
    "finetune.steps=2",
    "finetune.rank=2",
    "finetune.batch=2",
    "finetune.validate_every=2",
    "finetune.checkpoint_every=2",
    "finetune.preference={fewest: 12, fewest_pairs: 6, epochs: 1, batch: 4, warmup: 0, rate: 1e-4}",
    "generate.themes=[rain, salt, tin]",
    "generate.templates=[plain.v1]",
    "generate.max_tokens=30",
    "score.prompts=3",
]


def decide(studio: Studio, prompts: int = 6) -> None:
    """Two poems a prompt, one accepted (the first with an edit), one rejected; and one vote."""
    asked = [Prompt(f"theme {i}") for i in range(prompts)]
    made = [
        Candidate(f"{side}{i}", "m", prompt.id, Sampling(), 0, text, "", "eos", 9)
        for i, prompt in enumerate(asked)
        for side, text in (("good", f"The lamp is lit.\nIt counts {i}."), ("poor", f"lamp lamp lamp {i}"))
    ]
    studio.store.add([*asked, *made])
    for i in range(prompts):
        body = "The lamp is lit.\nIt waits." if i == 0 else None
        studio.store.add([Review(f"a{i}", f"good{i}", "accept", body=body), Review(f"b{i}", f"poor{i}", "reject")])
    studio.store.add([Vote("v", "poor1", "good0", "right")])


def test_too_few_decisions_and_an_engine_without_the_stage_are_said(project: Path) -> None:
    with Studio(project, SMALL[1:]) as studio, pytest.raises(EngineError, match="echo has no preference training"):
        studio.prefer()
    with Studio(project, SMALL) as studio:
        decide(studio, 3)
        with pytest.raises(ReviewError, match="needs 12 decisions and there are 7; decide on more"):
            studio.prefer()
        assert studio.store.all(Run) == []
    with pytest.raises(RecipeError, match="the stage `preference` needs no entry under stages"):
        Studio(project, ["finetune.stages=[{name: preference}]"])


@pytest.mark.torch
def test_pairs_train_a_model_with_a_lineage_and_only_the_guards_let_it_write(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        decide(studio)
        done = studio.prefer(GUARDS)
        assert (done.decisions, done.loss, done.trained + done.held_out) == (13, "dpo", 8)
        pairs = studio.store.all(Example, "rejected <> ''")
        assert ("The lamp is lit.\nIt waits.", "The lamp is lit.\nIt counts 0.") in {
            (row.completion, row.rejected) for row in pairs
        }
        run = next(run for run in studio.store.all(Run) if run.stage == "preference")
        assert {m.run for m in models_of(studio.store, 1)} == {run.id}
        best = best_of(models_of(studio.store, 1))
        assert best is not None
        assert [m.kind for m in ancestors(studio.store, best)] == ["base", "merged"]
        assert studio.prefer(GUARDS).staged.already
        assert studio.finetune().already
        assert role_of(studio.store, run.id) == "last"
        assert {m.run for m in models_of(studio.store, 1)} == {run.id}  # finetune again does not take the pen away
        written = studio.generate()
        assert written.models == 1
        poem = studio.store.all(Candidate, "round = 1 AND model = ?", [best.id])[0]
        stages = [link.said.split(" on ")[0] for link in studio.explain(poem.id).links if link.what == "run"]
        assert stages == ["preference", "sft"]


@pytest.mark.torch
def test_a_guard_keeps_a_narrowed_model_from_writing_until_it_is_accepted(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = "finetune.preference={fewest: 12, fewest_pairs: 99, epochs: 1, batch: 4, loss: auto}"
    with Studio(project, [*SMALL, loose, "rounds.loss_rise=0"]) as studio:
        decide(studio)
        real = studio.generator().generate

        def narrowed(requests: Iterable[Request]) -> Iterator[Written]:
            wanted = list(requests)
            tuned = {each.id for each in wanted if each.weights.base.endswith("merged")}
            for written in real(wanted):
                yield replace(written, text="rain and rain again\n" * 6) if written.id in tuned else written

        monkeypatch.setattr(studio.engine(), "generate", narrowed)
        with pytest.raises(ReviewError, match=r"does not write.*distinct.*--stage preference --accept-guard"):
            studio.prefer()
        run = next(run for run in studio.store.all(Run) if run.stage == "preference")
        assert run.recipe["finetune"]["loss"] == "kto"
        assert role_of(studio.store, run.id) == "earlier"
        assert run.id not in {m.run for m in models_of(studio.store, 1)}
        done = studio.prefer(GUARDS)
        assert "diversity" in done.overruled
        assert {m.run for m in models_of(studio.store, 1)} == {run.id}
