"""Step 7: float16 safetensors, tokenizer, card and hashes into one folder, as it is shipped."""

import hashlib
import json
import math
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from tools.starter.voices import LEAST_POEMS
from tools.starter.wordings import NAMED

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
embedding and norms; then a short stage in the chat template, in which a theme or a title asks for a poem; then one that teaches
what a name means: the model before it, asked without a name, times what the named author's poems count (their words, and where
their lines break) is what each token has to come to. So {taught} are known by name: those with at least
{least} poems in the text, spelled as its sources spell them.
{remark}

**What to ask.** One user turn: a theme, several, or a title; with an author's name in one of these wordings:

| English | Chinese |
|---|---|
{wordings}

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

**Steering** (held-out poems, long ones by their first 192 tokens; `tools/starter/steering.py`): nats per token that the true
poem gains when the prompt has its own word instead of another held-out poem's, and the share of poems that gain, with 95 %
intervals. The theme is a word of the poem, as in training; the first line opens the answer and is not counted; the author's
name stands beside the poem's own theme in both; its last row is of authors with at least {least} poems in the training text, under
another such author's name.

{steering}

{steering_remark}

**Out of scope**: facts, dialogue, modern Chinese, anything but verse. **Biases**: the views and the vocabulary of its centuries;
mostly men wrote what it read.
"""


NAMES = {
    "theme": "theme",
    "title": "title",
    "first_line": "first line",
    "author": "author's name",
    "taught_author": "taught author's name",
}
SHOWN = {"en": ("salt", "Emily Dickinson"), "zh": ("明月", "李白")}


def wordings_table() -> str:
    """The wordings that name an author, filled in with an example."""
    shown = [[f"`{way.format(theme=a, author=b)}`" for way in NAMED[lang]] for lang, (a, b) in SHOWN.items()]
    return "\n".join(f"| {en} | {zh} |" for en, zh in zip(*shown, strict=True))


def steering_table(figures: dict) -> str:
    """What each way to steer gains, by language; a dash where nothing was measured."""
    found = {lang: figures[lang].get("steering", {}) for lang in ("en", "zh")}
    rows = ["| the prompt gives | English | Chinese |", "|---|---|---|"]
    rows += [f"| {NAMES[key]} | {_cell(found['en'].get(key))} | {_cell(found['zh'].get(key))} |" for key in NAMES]
    return "\n".join(rows)


def _cell(of: dict | None) -> str:
    if not of:
        return "-"
    shown = (
        f"{of['gain']:.3f} ({of['gain_low']:.3f} to {of['gain_high']:.3f}); {of['better']:.0%} of {of['poems']} "
        f"({of['better_low']:.0%} to {of['better_high']:.0%})"
    )
    return shown.replace("-0.000", "0.000")


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
    return describe(out, figures, training)


def describe(out: Path, figures: dict, training: dict) -> dict[str, str]:
    """Write card, figures and hashes beside the weights in `out`; the hashes by file name."""
    config = AutoConfig.from_pretrained(out)
    with safe_open(out / "model.safetensors", "pt") as weights:
        parameters = sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    training = {"remark": "", "steering_remark": "", "taught": "authors", **training}
    card = CARD.format(
        parameters=parameters,
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        vocabulary=config.vocab_size,
        steering=steering_table(figures),
        wordings=wordings_table(),
        least=LEAST_POEMS,
        **figures,
        **training,
    )
    (out / "README.md").write_text(card, encoding="utf-8")
    (out / "figures.json").write_text(json.dumps({"training": training, **figures}, indent=2) + "\n", encoding="utf-8")
    names = sorted(p.name for p in out.iterdir() if p.is_file() and p.name != "SHA256SUMS")
    sums = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}
    (out / "SHA256SUMS").write_text("".join(f"{value}  {name}\n" for name, value in sums.items()), encoding="utf-8")
    return sums
