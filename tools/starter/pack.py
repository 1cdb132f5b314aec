"""Step 6: float16 safetensors, tokenizer, card and hashes into one folder, as it is shipped."""

import hashlib
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

CARD = """---
license: apache-2.0
language: [en, zh]
library_name: transformers
pipeline_tag: text-generation
tags: [poetry, llama]
---
# The bundled base model

A small language model of verse, English and Chinese, that ships with poetune so that everything runs with no download.
It is {parameters:,} parameters (Llama architecture, {layers} layers of width {hidden}, tied head, byte-level BPE of
{vocabulary:,} tokens trained on the same text, ChatML template). It knows verse of 1500-1950 and Tang and Song verse, and
little else: it is a base to tune and to try things on, and no substitute for a large model.

**Text.** Public-domain English verse (Project Gutenberg by way of tnhaider/english-gutenberg-poetry) and Tang and Song
verse (chinese-poetry/chinese-poetry, MIT, converted to simplified characters). Whole poems with their line and stanza
breaks; apparatus, fragments and very long lines were filtered out (`tools/starter/prepare.py`). No text of it is in the
repository.

**Training.** {tokens:,} supervised tokens in {minutes:.0f} minutes on {hardware}. Muon for the matrices, AdamW for
embedding and norms; then a short stage in the chat template, in which a theme, a title or an author's name asks for a poem.
{remark}

**Figures** (fixed held-out split by hash of the text; `tools/starter/evaluate.py`)

| | English | Chinese |
|---|---|---|
| bits per byte | {en[bits_per_byte]:.3f} | {zh[bits_per_byte]:.3f} |
| byte 5-gram on the same text | {en[byte_5gram]:.3f} | {zh[byte_5gram]:.3f} |
| generated lines that stand in the training text, sampled | {en[copied_sampled]:.1%} | {zh[copied_sampled]:.1%} |
| the same, greedy | {en[copied_greedy]:.1%} | {zh[copied_greedy]:.1%} |
| the same for held-out poems by people | {en[copied_by_people]:.1%} | {zh[copied_by_people]:.1%} |
| sampled poems that end by EOS within 200 tokens | {en[ended_sampled]:.0%} | {zh[ended_sampled]:.0%} |
| greedy poems that do | {en[ended_greedy]:.0%} | {zh[ended_greedy]:.0%} |

Copied lines are counted over {poems} poems a language, English lines of five words and Chinese of seven characters or more;
the prompts are keywords of at most 300 held-out poems, so some greedy poems stand twice. Greedy poems that do not end mostly
loop, so their share of copied lines says little: sample from this model.

**Out of scope**: facts, dialogue, modern Chinese, anything but verse. **Biases**: the views and the vocabulary of its centuries;
mostly men wrote what it read.
"""


def pack(model_dir: Path, tokenizer_dir: Path, out: Path, figures: dict, training: dict) -> dict[str, str]:
    """Write the folder; `figures` as `evaluate` gives them, `training` with tokens, minutes, hardware and poems (and a remark)."""
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
    model = model.to(torch.float16)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    config = model.config
    training = {"remark": "", **training}
    card = CARD.format(
        parameters=sum(p.numel() for p in model.parameters()),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        vocabulary=config.vocab_size,
        **figures,
        **training,
    )
    (out / "README.md").write_text(card, encoding="utf-8")
    (out / "figures.json").write_text(json.dumps({"training": training, **figures}, indent=2) + "\n", encoding="utf-8")
    names = sorted(p.name for p in out.iterdir() if p.is_file() and p.name != "SHA256SUMS")
    sums = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}
    (out / "SHA256SUMS").write_text("".join(f"{value}  {name}\n" for name, value in sums.items()), encoding="utf-8")
    return sums
