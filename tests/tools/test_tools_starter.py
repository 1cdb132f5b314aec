"""The bundled base can be rebuilt: every step at toy size, and what comes out loads with plain transformers."""

import hashlib
import json
import random
import warnings
from pathlib import Path

import pytest

from tools.starter.ngram import ByteNgram, ngram_bits_per_byte
from tools.starter.prepare import clean, held_out, language

WORDS = ("salt", "river", "lamp", "stone", "driver", "plate", "morning", "iron", "bread", "winter")
HAN = "明月江山春风秋水花落人归夜雨孤舟"

PINNED = ["poem 48"]  # a change here would move poems between splits


def corpus(path: Path) -> Path:
    chance = random.Random(0)
    rows = []
    for _ in range(500):
        lines = [" ".join(chance.choices(WORDS, k=5)).capitalize() + "," for _ in range(4)]
        rows.append({"text": "\n".join(lines), "title": chance.choice(WORDS), "author": chance.choice(("A", "B"))})
        half = ["".join(chance.choices(HAN, k=5)) for _ in range(4)]
        couplets = f"{half[0]}，{half[1]}。\n{half[2]}，{half[3]}。"
        rows.append({"text": couplets, "title": half[0][:2], "author": chance.choice("甲乙")})
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_apparatus_is_left_out_and_whole_poems_stay() -> None:
    assert clean("A line of verse here,\nanother line of verse.  \n\n\n\nAnd a third one now.") == (
        "A line of verse here,\nanother line of verse.\n\nAnd a third one now."
    )
    for junk in (
        "[Footnote 12]\nA line of verse here,",
        "CHAPTER ONE\nTHE END",
        "床前[明]月光，\n疑是地上霜。",
        "one line",
    ):
        assert clean(junk) is None
    assert language("床前明月光") == "zh"


def test_the_split_is_by_text_alone() -> None:
    texts = [f"poem {i}" for i in range(20000)]
    share = sum(map(held_out, texts)) / len(texts)
    assert 0.005 < share < 0.012
    assert [t for t in texts[:300] if held_out(t)] == PINNED


def test_the_byte_ngram_is_a_distribution_and_learns() -> None:
    model = ByteNgram(b"abracadabra " * 20)
    total = sum(2 ** -(model.bits(b"abra" + bytes([c])) - model.bits(b"abra")) for c in range(256))
    assert total == pytest.approx(1.0)
    seen, unseen = "abracadabra", "zyxwvutsrqp"
    assert ngram_bits_per_byte(["abracadabra " * 20], [seen]) < 1 < ngram_bits_per_byte(["abracadabra " * 20], [unseen])


@pytest.mark.torch
def test_every_step_at_toy_size(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the steps are scripts that talk through transformers
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from tools.starter.__main__ import build
        from tools.starter.pretrain import Plan

        plan = Plan(minutes=1, hidden=32, layers=1, heads=2, kv_heads=1, mlp=64, max_steps=12, step_tokens=512)
        figures = build([corpus(tmp_path / "verse.jsonl")], tmp_path / "work", tmp_path / "base", plan, (1, 1), 2, 0)
        again = build([tmp_path / "verse.jsonl"], tmp_path / "work", tmp_path / "base", plan, (1, 1), 2, 0)
        assert again == figures
        model = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    log = [json.loads(line) for line in (tmp_path / "work" / "pre" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] >= 12
    assert model.config.tie_word_embeddings
    assert len({tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id}) == 3
    text = "床前明月光，\n\nShall I?"
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text
    for line in (tmp_path / "base" / "SHA256SUMS").read_text().splitlines():
        expected, _, name = line.partition("  ")
        assert hashlib.sha256((tmp_path / "base" / name).read_bytes()).hexdigest() == expected
    card = (tmp_path / "base" / "README.md").read_text()
    assert "bits per byte" in card
    assert "| taught author's name | " in card
    assert "`salt, Emily Dickinson`" in card
