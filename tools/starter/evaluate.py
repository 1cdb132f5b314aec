"""Step 6: the figures of the card on a fixed split: bits per byte, a 5-gram beside it, copies, endings, steering."""

import argparse
import json
import math
import re
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tools.starter.ngram import ngram_bits_per_byte
from tools.starter.packing import plain_rows
from tools.starter.prepare import load_rows
from tools.starter.pretrain import loss_sum
from tools.starter.steering import steering

AT_ONCE = 250  # poems written in one batch


def lines_that_count(text: str, lang: str) -> list[str]:
    """Lines of at least five words, or clauses of at least seven Han characters."""
    if lang == "en":
        found = [" ".join(re.findall(r"[a-z']+", line.lower())) for line in text.split("\n")]
        return [line for line in found if len(line.split()) >= 5]
    return [part for part in re.findall(r"[\u4e00-\u9fff]+", text) if len(part) >= 7]


@torch.inference_mode()
def model_bits_per_byte(model, tokenizer, texts: list[str]) -> float:  # type: ignore[no-untyped-def]
    """Bits per byte in float32, EOS predicted and counted, poems over the context cut into rows."""
    nats = 0.0
    for row in plain_rows(tokenizer, texts, 512):
        ids, labels = torch.tensor([row.ids]), torch.tensor([row.ids])
        labels[0, : row.first] = -100
        nats += float(loss_sum(model, ids, labels, exact=True)[0])
    return nats / math.log(2) / sum(len(t.encode()) for t in texts)


@torch.inference_mode()
def write_poems(model, tokenizer, prompts: list[str], greedy: bool, seed: int = 0) -> list[tuple[str, bool]]:  # type: ignore[no-untyped-def]
    """A poem for each prompt with whether it ended by EOS; sampled at temperature 0.8, top-p 0.95 unless greedy."""
    torch.manual_seed(seed)
    tokenizer.padding_side = "left"
    out = []
    for start in range(0, len(prompts), AT_ONCE):
        texts = [
            tokenizer.apply_chat_template([{"role": "user", "content": p}], add_generation_prompt=True, tokenize=False)
            for p in prompts[start : start + AT_ONCE]
        ]
        batch = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
        how = {"do_sample": False} if greedy else {"do_sample": True, "temperature": 0.8, "top_p": 0.95, "top_k": 0}
        made = model.generate(**batch, max_new_tokens=200, **how)[:, batch["input_ids"].shape[1] :]
        for row in made:
            out.append((tokenizer.decode(row, skip_special_tokens=True), bool((row == tokenizer.eos_token_id).any())))
    return out


def evaluate(folder: Path, model_dir: Path, poems: int = 100, each: int = 300, ngram: bool = True) -> dict[str, dict]:
    """All figures, by language."""
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32).eval()
    rows = load_rows(folder)
    figures: dict[str, dict] = {}
    steered = steering(folder, model_dir, each)
    for lang in ("en", "zh"):
        training = [r["text"] for r in rows if r["lang"] == lang and not r["held_out"]]
        held = [r for r in rows if r["lang"] == lang and r["held_out"]][:each]
        texts = [r["text"] for r in held]
        known = {line for text in training for line in lines_that_count(text, lang)}
        figure: dict[str, Any] = {"bits_per_byte": model_bits_per_byte(model, tokenizer, texts)}
        if ngram:
            figure["byte_5gram"] = ngram_bits_per_byte(training, texts)
        human = [line for text in texts for line in lines_that_count(text, lang)]
        figure["copied_by_people"] = sum(line in known for line in human) / max(len(human), 1)
        prompts = [(r["keys"] or [r["title"]])[0] for r in held if r["keys"] or r["title"]]
        prompts = [prompts[i % len(prompts)] for i in range(poems)]
        for name, greedy in (("sampled", False), ("greedy", True)):
            made = write_poems(model, tokenizer, prompts, greedy)
            found = [line for text, _ in made for line in lines_that_count(text, lang)]
            figure[f"copied_{name}"] = sum(line in known for line in found) / max(len(found), 1)
            figure[f"ended_{name}"] = sum(ended for _, ended in made) / len(made)
        figures[lang] = {**figure, "steering": steered[lang]}
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--poems", type=int, default=100)
    arguments = parser.parse_args()
    print(json.dumps(evaluate(arguments.folder, arguments.model, arguments.poems), indent=2))
