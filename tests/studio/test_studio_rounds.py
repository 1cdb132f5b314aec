"""A round closes under its guards: what it measures, whom it refuses, what it records, and what the next one learns."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from poetune.errors import ReviewError
from poetune.records import Candidate, Dataset, Poem, Prompt, Review, Round, Sampling
from poetune.studio import Studio
from poetune.studio.dataset import examples

SMALL = [
    "finetune.steps=4",
    "finetune.validate_every=2",
    "finetune.checkpoint_every=4",
    "finetune.batch=2",
    "dataset.shares=[60, 20, 20]",
    "generate.max_tokens=40",
]
NEW = [
    "Somebody left a kettle singing\nin the house across the canal,\nand all the stairs have gone\nfor a walk.",
    "Small weather keeps its office\nunder the bridge of our street;\nit stamps whatever arrives\nwith a wet hand.",
    "My uncle sold umbrellas\nto people already soaked,\nbecause he said a promise\nwants to be late.",
]


def bring(studio: Studio, texts: list[str], themes: tuple[str, ...] = ("rain", "salt", "tin")) -> list[str]:
    """Candidates of the open round, as if written, all accepted."""
    number = studio.round.number
    prompts = [Prompt(themes[i % len(themes)]) for i in range(len(texts))]
    made = [
        Candidate(f"c{number}-{i}", "m", prompt.id, Sampling(), i, text, "", "eos", 9, number)
        for i, (prompt, text) in enumerate(zip(prompts, texts, strict=True))
    ]
    studio.store.add([*prompts, *made])
    studio.store.add([Review(f"t{number}-{i}", each.id, "accept") for i, each in enumerate(made)])
    return [each.id for each in made]


def test_a_round_that_holds_closes_and_keeps_its_figures_and_weights(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        brought = bring(studio, NEW)
        looked = studio.close_round(dry=True)
        assert (studio.round.number, studio.store.count(Poem)) == (1, 8)
        done = studio.close_round()
        assert replace(done, dry=True) == looked
        first, second = studio.rounds()
        assert (first.number, second.number, first.poems, second.poems) == (1, 2, 8, 11)
        assert first.closed
        assert not first.overruled
        back = studio.store.all(Poem, "origin = 'round:1'")
        assert [poem.parent for poem in back] == brought
        assert set(first.weights) == set(first.accepted) == {poem.id for poem in back}
        assert first.guards["own_share"] == done.own_share <= 0.4
        assert {figure["guard"] for figure in first.guards["figures"]} == {"diversity", "loss", "copying"}


def test_a_round_that_copies_is_refused_with_its_figures_and_only_the_guard_by_name_lets_it_by(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        stolen = [poem.text + "\nand one line more" for poem in studio.store.all(Poem)[:3]]
        bring(studio, stolen)
        with pytest.raises(ReviewError, match=r"copied lines of the accepted poems 0\.\d+.*--accept-guard copying"):
            studio.close_round(["diversity"])
        with pytest.raises(ReviewError, match="no guard is called copies; there are diversity, loss, copying"):
            studio.close_round(["copies"])
        assert (studio.round.number, studio.store.count(Poem)) == (1, 8)
        studio.close_round(["copying", "diversity"])  # three copies of three poems are much alike, too
        assert studio.rounds()[0].overruled == ("copying", "diversity")


def test_later_rounds_are_held_against_the_first(project: Path) -> None:
    loop = ["rain and rain again\n" * 8] * 12
    with Studio(project, SMALL) as studio:
        bring(studio, [f"{text}\n{text.split()[-1]} number {i}" for i in range(6) for text in NEW], ("rain",))
        studio.close_round(["diversity"])
        bring(studio, [f"{text}and rain {i}" for i, text in enumerate(loop)], ("rain",))
        with pytest.raises(ReviewError, match=r"mean distance on one theme of what was written .* of round 1"):
            studio.close_round()


def test_the_held_out_loss_is_the_first_models_beside_this_ones(project: Path) -> None:
    with Studio(project, SMALL) as studio:
        studio.finetune()
        bring(studio, NEW)
        done = studio.close_round(["loss"])
        held = next(figure for figure in done.figures if figure.guard == "loss")
        assert (held.of, held.against) == ("the model of round 1", "the base")
        assert held.before is not None
        assert held.now is not None
        assert held.now < held.before
        studio.finetune()
        bring(studio, [text.replace("the", "that").upper() for text in NEW])
        again = next(figure for figure in studio.close_round(dry=True).figures if figure.guard == "loss")
        assert (again.before, again.against) == (held.now, "round 1")


def test_own_poems_keep_to_their_share_in_the_next_data_set(project: Path) -> None:
    with Studio(project, [*SMALL, "rounds.most_own=0.2", "dataset.templates=[plain.v1, pause.v1]"]) as studio:
        bring(studio, NEW)
        done = studio.close_round(["diversity", "loss"])
        assert done.offered > 0.2 >= done.own_share > 0
        data = studio.store.one(Dataset, studio.dataset().id)
        assert data is not None
        rows = examples(studio, data)
        own = {poem.id for poem in studio.store.all(Poem) if poem.parent}
        assert {row.poem for row in rows} - own == {p.id for p in studio.store.all(Poem, "origin = 'corpus'")}
        sizes = {True: 0, False: 0}
        for row in rows:
            if row.split == "train":
                sizes[row.poem in own] += len(row.completion.encode()) + 1
        assert sizes[True] / sum(sizes.values()) == pytest.approx(done.own_share)
        assert data.settings["made_from"]["weights"] == studio.rounds()[0].weights


def test_closing_is_all_or_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def dies(record: Round) -> None:
        raise Killed

    with Studio(project, SMALL) as studio:
        bring(studio, NEW)
        monkeypatch.setattr(studio.store, "replace_round", dies)
        with pytest.raises(Killed):
            studio.close_round()
        monkeypatch.undo()
        assert (studio.round.number, studio.store.count(Poem)) == (1, 8)
        assert studio.close_round().number == 2
        json.dumps(studio.rounds()[0].guards["figures"])
