"""Contestants on one project: the same prompts and seeds, votes of a judge and of people, one base in memory."""

from pathlib import Path

import pytest

from poetune.errors import EngineError, RecipeError
from poetune.records import Candidate, Prompt, Review, Verdict, Vote
from poetune.studio import Studio
from poetune.studio.score.contestants import PROMPTED
from poetune.studio.score.readers import readers

QUICK = ["finetune.steps=4", "finetune.checkpoint_every=2", "generate.max_tokens=30", "score.prompts=6"]


@pytest.fixture
def trained(project: Path) -> Path:
    with Studio(project, QUICK) as studio:
        studio.finetune()
    return project


def test_all_write_for_the_same_prompts_and_seeds_and_nothing_is_asked_twice(trained: Path) -> None:
    with Studio(trained, QUICK) as studio:
        found = studio.compare(["base", "2", "best"])
        assert [w.figures.label for w in found.writers] == ["base", PROMPTED, "step 2", "step 4"]
        poems = studio.store.all(Candidate, "round = 0")
        assert len(poems) == 4 * 6
        assert len({c.seed for c in poems}) == 6
        shown = {p.system for p in studio.store.all(Prompt) if p.system}
        assert len(shown) == 1
        assert sum(text in next(iter(shown)) for text in ("The plate is wet.", "One lamp", "The beam would")) >= 1
        asked = studio.store.count(Verdict)
        assert asked <= 2 * 6 * 6
        assert all(v.stage == "pair" and len(v.shown) == 2 for v in studio.store.all(Verdict))
        again = studio.compare(["base", "2", "best"])
        assert studio.store.count(Verdict) == asked
        assert studio.store.count(Candidate) == 24
        assert again == found
        assert any("No author classifier" in said for said in found.said)
        assert any("8 poems in this language, too few" in said for said in found.said)


def test_blind_votes_are_counted_for_who_wrote_the_poem(trained: Path) -> None:
    with Studio(trained, QUICK) as studio:
        studio.compare(["base", "best"], judged=False)
        poems = studio.store.all(Candidate, "round = 0")
        models = list(dict.fromkeys(c.model for c in poems))
        prompted = {p.id for p in studio.store.all(Prompt) if p.system}
        base = [c for c in poems if c.model == models[0] and c.prompt not in prompted]
        best = {c.seed: c for c in poems if c.model == models[1]}
        votes = [Vote(f"v{i}", b.id, best[b.seed].id, "right") for i, b in enumerate(base[:3])]
        votes += [Vote("t", best[base[3].seed].id, base[3].id, "tie"), Vote("u", "", "", "undo", cancels="v0")]
        studio.store.add(votes)
        found = studio.compare(["base", "best"], prompted=False, judged=False)
        (duel,) = found.duels
        assert (duel.people.first, duel.people.second, duel.people.even) == (0, 2, 1)
        assert duel.judge.whole == 0


def test_wrong_names_are_one_sentence(trained: Path) -> None:
    with Studio(trained, QUICK) as studio:
        with pytest.raises(EngineError, match=r"nothing is called '99'; name base, best, step 2, step 4"):
            studio.compare(["base", "99"])
        with pytest.raises(RecipeError, match="needs two contestants"):
            studio.compare(["base"], prompted=False)


@pytest.mark.torch
def test_the_base_is_loaded_once_for_all(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from poetune.backends.torch import loading

    loaded = []
    real = loading.load
    settings = ["engine=torch", "finetune.steps=2", "finetune.checkpoint_every=1", "finetune.rank=2", "score.prompts=2"]
    with Studio(project, [*settings, "generate.max_tokens=8"]) as studio:
        studio.finetune()
    monkeypatch.setattr(loading, "load", lambda *a, **k: loaded.append(a[0]) or real(*a, **k))
    with Studio(project, [*settings, "generate.max_tokens=8"]) as studio:
        found = studio.compare(["base", "1", "2"])
        assert len(found.writers) == 4
        assert sum(w.figures.poems for w in found.writers) == 8
    assert len(loaded) == 1


def test_checkpoints_are_measured_and_one_that_was_deleted_is_named(trained: Path) -> None:
    import shutil

    with Studio(trained, QUICK) as studio:
        found = studio.checkpoints()
        assert [s.step for s in found.steps] == [2, 4]
        assert all(s.figures.poems == 6 and s.train_loss for s in found.steps)
        assert found.advice is not None
        assert found.advice.step in (2, 4)
        shutil.rmtree(next(trained.glob("runs/*/*0002*")))
        again = studio.checkpoints()
        assert [s.step for s in again.steps] == [4]
        assert again.gone == (2,)


def test_longer_poems_go_on_where_shorter_ones_stopped(trained: Path) -> None:
    with Studio(trained, [*QUICK, "score.lengths=[10, 30]"]) as studio:
        found = studio.courses("lengths")
        assert [w.figures.label for w in found.ways] == ["10 tokens", "30 tokens"]
        assert found.longest >= 4
        ways = studio.courses("decoding")
        assert len(ways.ways) == 5  # echo has no beams
        assert not any("beams" in w.figures.label for w in ways.ways)


def test_the_report_tells_again_what_was_measured_and_says_what_was_not(trained: Path) -> None:
    with Studio(trained, QUICK) as studio:
        told = studio.report()
        page = Path(told.html).read_text(encoding="utf-8")
        assert "`poetune score compare` puts" in page
        assert "cannot be said: that takes two poets with at least 10 poems each." in page
        assert '<section id="contestants"' not in page
        before = studio.store.count(Candidate)
        studio.compare(["base", "best"])
        studio.checkpoints()
        studio.courses("decoding")
        count, asked = studio.store.count(Candidate), studio.store.count(Verdict)
        assert count > before
        told = studio.report()
        assert (studio.store.count(Candidate), studio.store.count(Verdict)) == (count, asked)
        page, figures = (Path(each).read_text(encoding="utf-8") for each in (told.html, told.csv))
        for name in ("losses", "contestants", "duels", "checkpoints", "decoding", "novelty", "themes", "readers"):
            assert f'<section id="{name}"' in page, name
        assert {line.split(",")[0] for line in figures.splitlines()} >= {
            "contestants",
            "checkpoints",
            "novelty",
            "curve",
        }


def test_people_score_on_a_rubric_and_their_agreement_stands_beside_it(trained: Path) -> None:
    with Studio(trained, QUICK) as studio:
        studio.compare(["base", "best"], prompted=False, judged=False)
        poems = [c.id for c in studio.store.all(Candidate)]
        studio.store.add(
            Review(
                f"{who}{i}", key, "accept", who, rubric="r.v1", scores={"tone": 1 + (i + (who == "b" and i == 0)) % 5}
            )
            for who in ("a", "b")
            for i, key in enumerate(poems[:6])
        )
        (row,) = readers(studio).rows
        assert row[0] == "people, r.v1: tone"
        assert row[1][:2] == (6, 12)
        assert 0.5 < row[1][3] < 1


def test_an_empty_test_split_is_said_instead_of_a_figure(project: Path) -> None:
    with Studio(project, [*QUICK, "dataset.shares=[70, 30]"]) as studio:
        studio.finetune()
        found = studio.losses()
        assert {row["split"] for row in found.rows} == {"train", "validation"}
        assert "There is no test poem, so no test loss" in found.text
