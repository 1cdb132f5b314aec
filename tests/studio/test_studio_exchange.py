"""The JSON of an earlier poet's tools: generated poems in, decisions in, pairs and training rows out."""

import json
from pathlib import Path

import pytest

from poetune.errors import ReviewError
from poetune.records import Candidate, Model, Poem, Prompt, Review
from poetune.studio import Studio

SYSTEM = "dataset.system=写一首现代诗"
GENERATED = [
    [["河", "河水很慢，\n桥在等。"], ["河", "鱼不说话。\n水也不。"]],
    [["雨", "雨敲着瓦。\n没有人开门。"]],
]


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    path = tmp_path / "generated_poems.json"
    path.write_text(json.dumps(GENERATED, ensure_ascii=False), encoding="utf-8")
    return path


def test_generated_poems_are_judged_reviewed_and_go_out_as_training_rows(project: Path, generated: Path) -> None:
    with Studio(project, [SYSTEM]) as studio:
        brought = studio.bring(generated)
        assert (brought.new, brought.known, brought.accepted, brought.skipped) == (3, 0, 0, 0)
        assert (studio.bring(generated).new, studio.bring(generated).known) == (0, 3)
        assert studio.judge().poems == 3
        ranked = project / "ranked.json"
        assert studio.give(ranked, "pairs").poems == 3
        assert sorted(map(len, json.loads(ranked.read_text("utf-8")))) == [1, 2]
        with pytest.raises(ReviewError, match="nothing was accepted yet"):
            studio.give(project / "x.jsonl", "chatml")
        river = next(c for c in studio.store.all(Candidate) if c.text.startswith("河水"))
        studio.store.add([Review("t", river.id, "accept", body="河水很慢。\n桥在等你。")])
        studio.give(project / "more.jsonl", "chatml")
        studio.give(project / "chat.jsonl", "messages")
    (row,) = [json.loads(line) for line in (project / "more.jsonl").read_text("utf-8").splitlines()]
    assert row == {
        "text": "<|im_start|>system 写一首现代诗<|im_end|> <|im_start|>user 河<|im_end|> "
        "<|im_start|>assistant 河水很慢。\n桥在等你。<|im_end|>"
    }
    (chat,) = [json.loads(line) for line in (project / "chat.jsonl").read_text("utf-8").splitlines()]
    assert [turn["role"] for turn in chat["messages"]] == ["system", "user", "assistant"]
    with Studio(project, [f"corpus.files=[{project / 'more.jsonl'}]"]) as studio:
        studio.corpus()
        assert "河水很慢。\n桥在等你。" in {poem.text for poem in studio.store.all(Poem)}


def test_decisions_and_checkpoint_codes_come_in_and_the_round_closes_with_them(project: Path, tmp_path: Path) -> None:
    rows = [
        {
            "image": "河",
            "response": "河水很慢，\n桥在等。",
            "accepted": True,
            "edited": True,
            "checkpoint_number": 1203,
        },
        {"image": "雨", "response": "雨敲着瓦。\n没有人开门。", "accepted": False, "edited": False},
        {"image": "雨"},
    ]
    path = tmp_path / "updated_overall_poems.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    with Studio(project, ["review.reviewer=ada"]) as studio:
        brought = studio.bring(path)
        assert (brought.new, brought.accepted, brought.skipped) == (2, 1, 1)
        model = next(m for m in studio.store.all(Model) if m.step)
        assert (model.kind, model.step, model.name) == ("foreign", 1200, "updated_overall_poems step 1200")
        assert {p.template for p in studio.store.all(Prompt)} == {"plain.v1", "deep.v1"}
        assert studio.store.all(Review)[0].reviewer == "ada"
        assert studio.close_round().accepted == 1
        assert studio.explain("桥在等。").links[0].what == "poem"


def test_a_nested_file_as_corpus_is_read_as_themes_and_poems(project: Path, generated: Path) -> None:
    with Studio(project, [f"corpus.files=[{generated}]"]) as studio:
        studio.corpus()
        assert {(p.theme, p.text) for p in studio.store.all(Poem) if p.language == "zh"} == {
            (theme, text) for group in GENERATED for theme, text in group
        }


def test_a_file_that_holds_no_poems_is_named(project: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("[1, 2", encoding="utf-8")
    with Studio(project) as studio, pytest.raises(ReviewError, match=r"bad\.json: this is no JSON file"):
        studio.bring(tmp_path / "bad.json")
