"""Step 4: a short stage in the chat template, so that a theme or a title steers the model.

Half of the rows stay plain verse, so that what pretraining taught is not lost; rates fall to zero.
"""

import random
from dataclasses import replace
from pathlib import Path

from transformers import AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from tools.starter.packing import Row, chat_row, plain_rows
from tools.starter.prepare import load_rows
from tools.starter.pretrain import Plan, balanced, held_out_rows, train
from tools.starter.wordings import NAMED, theme

LONGEST_CHAT = 224


def ask(row: dict, chance: random.Random) -> str:
    """What a user might have typed to get this poem: a keyword or its title, in a fifth of the rows the author too."""
    asked = theme(row, chance)
    if row["author"] and chance.random() < 0.2:
        asked = NAMED[row["lang"]][0].format(theme=asked, author=row["author"])
    return asked


def chat_rows(tokenizer: PreTrainedTokenizerFast, rows: list[dict], seed: int) -> list[Row]:
    """One chat row for every poem short enough."""
    rng = random.Random(seed)
    made = (chat_row(tokenizer, ask(row, rng), row["text"]) for row in rows)
    return [row for row in made if len(row.ids) <= LONGEST_CHAT]


def instruct(folder: Path, tokenizer_dir: Path, pretrained: Path, out: Path, plan: Plan) -> dict[str, float]:
    """Train from `pretrained` on chat rows and plain rows, half and half; returns the last log row."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
    rows = load_rows(folder)
    validation, counts = held_out_rows(tokenizer, rows, plan.longest)
    training = [row for row in rows if not row["held_out"]]
    random.Random(plan.seed).shuffle(training)
    training = [row for lang in ("en", "zh") for row in [r for r in training if r["lang"] == lang][:30_000]]
    chat = balanced(
        {lang: chat_rows(tokenizer, [r for r in training if r["lang"] == lang], 1) for lang in ("en", "zh")}, 1
    )
    plain = balanced(
        {
            lang: plain_rows(tokenizer, [r["text"] for r in training if r["lang"] == lang], plan.longest)
            for lang in ("en", "zh")
        },
        2,
    )
    size = min(len(chat), len(plain))
    model = LlamaForCausalLM.from_pretrained(pretrained, dtype="float32")
    gentle = replace(plan, muon_rate=plan.muon_rate * 0.25, adam_rate=plan.adam_rate * 0.25, flat_until=0.02, floor=0.0)
    return train(model, chat[:size] + plain[:size], validation, gentle, out, counts, tokenizer.pad_token_id)
