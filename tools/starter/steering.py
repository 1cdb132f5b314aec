"""Does a theme, a title, a first line or an author's name steer the base? Held-out poems under their own and another's.

For each poem, nats per token of the true text under the prompt with its own word and under the same prompt with the
word of another held-out poem of its language, drawn with a fixed seed. Only the poem's tokens and EOS count, of a long
poem the first 192; where a first line is given, only what follows it.
"""

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from tools.starter.packing import Row, chat_row, collate
from tools.starter.prepare import load_rows
from tools.starter.voices import LEAST_POEMS
from tools.starter.wordings import NAMED, NAMELESS, plain_title

BATCH = 16
LONGEST = 192
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Handle:
    """One way to steer: what a poem offers ("" for nothing), and the user's text and opening it gives."""

    name: str
    offer: Callable[[dict], str]
    prompt: Callable[[dict, str], tuple[str, str]]


def first_line(row: dict) -> str:
    """The first line with its line break, beside the theme."""
    line, _, rest = row["text"].partition("\n")
    return f"{line}\n" if rest.strip() and theme(row) else ""


def theme(row: dict) -> str:
    """The theme as the instruction stage draws it from a poem's own words."""
    return row["keys"][0] if row["keys"] else ""


def author(row: dict) -> str:
    """The author's name beside the theme, as the instruction stage puts it."""
    return row["author"] if theme(row) and row["author"] not in NAMELESS else ""


def taught_author(row: dict) -> str:
    """The name of an author of at least `LEAST_POEMS` training poems (`poems_by_author`, counted elsewhere)."""
    return author(row) if row.get("poems_by_author", 0) >= LEAST_POEMS else ""


def beside_theme(row: dict, own: str) -> tuple[str, str]:
    """The theme, then the name."""
    return NAMED[row["lang"]][0].format(theme=theme(row), author=own), ""


HANDLES = (
    Handle("theme", theme, lambda _, own: (own, "")),
    Handle("title", plain_title, lambda _, own: (own, "")),
    Handle("first_line", first_line, lambda row, own: (theme(row), own)),
    Handle("author", author, beside_theme),
    Handle("taught_author", taught_author, beside_theme),
)


def pairs(rows: list[dict], handle: Handle, seed: int = 0) -> list[tuple[dict, str, str]]:
    """Each row that offers something, with its own and another row's different offer."""
    found = [(row, handle.offer(row)) for row in rows if handle.offer(row)]
    chance = random.Random(f"{seed}:{handle.name}")
    out = []
    for row, own in found:
        strange = [other for _, other in found if other != own]
        if strange:
            out.append((row, own, chance.choice(strange)))
    return out


def chat(tokenizer: PreTrainedTokenizerFast, handle: Handle, row: dict, given: str) -> Row:
    """The row's poem as the answer, its first `LONGEST` tokens; an opening replaces its own first line, uncounted."""
    user, opening = handle.prompt(row, given)
    rest = row["text"][len(first_line(row)) :] if opening else row["text"]
    head = chat_row(tokenizer, user, opening).ids[:-1]  # less its EOS
    tail = [*tokenizer(rest, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    return Row([*head, *tail[:LONGEST]], len(head))


@torch.inference_mode()
def nats(model, rows: list[Row], pad: int) -> list[float]:  # type: ignore[no-untyped-def]
    """Summed nats of each row's counted tokens, in float32."""
    out = [0.0] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        ids, labels = collate([rows[i] for i in part], pad)
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits.float()
        found = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], reduction="none")
        for i, value in zip(part, found.sum(1).tolist(), strict=True):
            out[i] = value
    return out


def wilson(wins: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's score interval)."""
    z = 1.959964
    share, weight = wins / of, 1 + z * z / of
    middle, half = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - half) / weight, (middle + half) / weight


def summary(own: list[float], other: list[float], tokens: list[int], seed: int = 0) -> dict[str, float]:
    """Nats per token under both, what the own one gains with its 95 % interval over poems, and the share it wins."""
    chance = random.Random(seed)
    gains = [b - a for a, b in zip(own, other, strict=True)]
    places = range(len(own))
    drawn = []
    for _ in range(RESAMPLES):
        picked = chance.choices(places, k=len(own))
        drawn.append(sum(gains[i] for i in picked) / sum(tokens[i] for i in picked))
    drawn.sort()
    wins = sum(gain > 0 for gain in gains)
    low, high = wilson(wins, len(own))
    return {
        "poems": len(own),
        "tokens": sum(tokens),
        "own": sum(own) / sum(tokens),
        "other": sum(other) / sum(tokens),
        "gain": sum(gains) / sum(tokens),
        "gain_low": drawn[RESAMPLES // 40],
        "gain_high": drawn[-1 - RESAMPLES // 40],
        "better": wins / len(own),
        "better_low": low,
        "better_high": high,
    }


def steering(folder: Path, model_dir: Path, poems: int = 300) -> dict[str, dict[str, dict[str, float]]]:
    """Figures by language and handle, over the first `poems` held-out poems that offer it."""
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32).eval()
    everything = load_rows(folder)
    poems_by = Counter((row["lang"], row["author"]) for row in everything if not row["held_out"])
    held = [{**row, "poems_by_author": poems_by[row["lang"], row["author"]]} for row in everything if row["held_out"]]
    del everything
    out: dict[str, dict[str, dict[str, float]]] = {}
    for lang in ("en", "zh"):
        rows = [row for row in held if row["lang"] == lang]
        out[lang] = {}
        for handle in HANDLES:
            cases = pairs(rows, handle)[:poems]
            if not cases:
                continue
            asked = [
                [chat(tokenizer, handle, row, given) for row, *both in cases for given in (both[i],)] for i in (0, 1)
            ]
            own, other = (nats(model, found, tokenizer.pad_token_id) for found in asked)
            tokens = [len(row.ids) - row.first for row in asked[0]]
            out[lang][handle.name] = summary(own, other, tokens)
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--poems", type=int, default=300)
    arguments = parser.parse_args()
    print(json.dumps(steering(arguments.folder, arguments.model, arguments.poems), indent=2))
