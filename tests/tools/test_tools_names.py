"""A voice is what its author's poems count; the stage of names makes a name move the model towards that voice."""

import json
import random
import warnings

import pytest

WORDS = {"Ann": ("salt", "river"), "Ben": ("lamp", "stone")}


def verse(author: str, chance: random.Random, lines: int = 30) -> str:
    """Ann's lines have two words, Ben's six; both prefer their own words to the other's."""
    other = next(name for name in WORDS if name != author)
    size = 2 if author == "Ann" else 6
    return "\n".join(
        " ".join(chance.choice(WORDS[author] if chance.random() < 0.9 else WORDS[other]) for _ in range(size))
        for _ in range(lines)
    )


def corpus() -> list[dict]:
    chance = random.Random(0)
    return [
        {"lang": "en", "text": verse(author, chance), "title": "", "author": author, "keys": ["dusk"]}
        for author in WORDS
        for _ in range(120)
    ]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import AutoTokenizer

        from tools.starter.train_tokenizer import train_tokenizer

        folder = tmp_path_factory.mktemp("words")
        rows = [{**row, "held_out": False, "text": f"{row['text']} dusk Ann, Ben"} for row in corpus()]
        (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        train_tokenizer(folder, folder / "tok", 300)
        return AutoTokenizer.from_pretrained(folder / "tok")


@pytest.mark.torch
def test_a_voice_prefers_its_words_and_breaks_its_lines(tokenizer) -> None:  # type: ignore[no-untyped-def]
    from tools.starter.voices import voices

    rows = corpus()
    heard = voices(tokenizer, [*rows, *({**row, "author": "Unknown"} for row in rows)], "en")
    assert list(heard.poems) == ["Ann", "Ben"]
    assert voices(tokenizer, rows, "en", least=121).poems == {}
    ids = tokenizer("salt river\nlamp stone", add_special_tokens=False)["input_ids"]
    ann, ben = (heard.bias(author, ids) for author in (0, 1))
    assert ann.shape == (len(ids), len(tokenizer))
    salt, lamp, newline = (
        tokenizer(text, add_special_tokens=False)["input_ids"][0] for text in (" salt", " lamp", "\n")
    )
    assert (ann[:, salt] > ann[:, lamp]).all()
    assert (ben[:, lamp] > ben[:, salt]).all()
    after_two_words = tokenizer("salt river", add_special_tokens=False)["input_ids"]
    assert ann[len(after_two_words), newline] > 0 > ben[len(after_two_words), newline]


@pytest.mark.torch
def test_the_stage_of_names_makes_a_name_steer(tokenizer) -> None:  # type: ignore[no-untyped-def]
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from tools.starter.names import PARTS, distillation, lesson, named_rows
    from tools.starter.packing import chat_row
    from tools.starter.steering import nats
    from tools.starter.voices import voices

    rows = corpus()
    heard = {"en": voices(tokenizer, rows, "en")}
    made = named_rows(tokenizer, rows, heard["en"], "en", 1200, seed=0)
    assert {row.author for row in made} == {0, 1, None}
    assert all(row.ids[: row.first] == row.unnamed for row in made if row.author is None)
    taught = lesson(made, PARTS[0], seed=0)
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        tie_word_embeddings=True,
    )
    teacher = LlamaForCausalLM(shape).eval()
    model = LlamaForCausalLM(shape)
    model.load_state_dict(teacher.state_dict())
    loss = distillation(teacher, heard, PARTS[0].strength)
    stepper = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for start in range(0, len(taught), 16):
        value = loss(model, taught[start : start + 16], tokenizer.pad_token_id)
        (value / 400).backward()
        stepper.step()
        stepper.zero_grad()
    poems = [(author, verse(author, random.Random(seed), 4)) for author in WORDS for seed in range(5)]
    other_of = {"Ann": "Ben", "Ben": "Ann"}
    asked = [[chat_row(tokenizer, f"dusk, {name}", text) for name, text in poems]]
    asked += [[chat_row(tokenizer, f"dusk, {other_of[name]}", text) for name, text in poems]]
    own, other = (nats(model.eval(), rows, tokenizer.pad_token_id) for rows in asked)
    assert all(a < b for a, b in zip(own, other, strict=True))
