"""Step 5: a stage that teaches what an author's name means, by distillation.

One poem says so little about its author that the plain loss hardly feels the name. So each token has a whole
distribution to learn: that of the model before this stage, asked without a name, times the named author's bias
(`voices`), counted over all of the author's poems. Half of the poems stand under a strange name, so that it has to be
read. Rows without a name keep the distribution as it was. Since every token tells the whole bias, most rows stop after
a line or two, so that more names pass for the time.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from tools.starter.packing import Row, chat_row, collate
from tools.starter.prepare import load_rows
from tools.starter.pretrain import Plan, held_out_rows, train
from tools.starter.voices import LEAST_POEMS, Voices, voices
from tools.starter.wordings import named, theme

LONGEST_POEM, SHORT_POEM = 128, 20  # tokens
POEMS = {"en": 12_000, "zh": 24_000}
CHECKED = 150  # held-out poems by which the best checkpoint is chosen, a language
NAMELESS_SHARE = 0.25
PLAIN_SHARE = 0.1
STRANGE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the stage, with its own folder."""

    folder: str
    time: float  # share of the stage's minutes
    strength: dict[str, float]  # of the words' bias, by language
    rate: float  # of both rates, at its beginning
    named: dict[str, float]  # share of the rows with a name that are taken, by language
    whole: float  # share of these that are not cut short
    nameless: int  # how often each of the other rows is taken


# Held-out poems like a strength of 0.8 best. While little of it is learned, more teaches faster.
PARTS = (
    Part("loud", 0.7, {"en": 1.4, "zh": 1.4}, 1.0, {"en": 0.6, "zh": 1.0}, 0.15, 1),
    Part("settled", 0.3, {"en": 0.8, "zh": 1.4}, 0.5, {"en": 0.3, "zh": 0.6}, 0.25, 2),
)


@dataclass(frozen=True, slots=True)
class NamedRow(Row):
    """A row with the beginning that names no author, and the author it names instead."""

    unnamed: list[int]
    lang: str
    author: int | None


def named_rows(
    tokenizer: PreTrainedTokenizerFast, rows: list[dict], voice: Voices, lang: str, number: int, seed: int
) -> list[NamedRow]:
    """At most `number` rows of poems by the authors of `voice`, drawn by the square root of their numbers of poems."""
    chance = random.Random(seed)
    authors = list(voice.poems)
    weights = [voice.poems[author] ** 0.5 for author in authors]
    by_author: dict[str, list[dict]] = {author: [] for author in authors}
    for row in rows:
        if row["author"] in by_author:
            by_author[row["author"]].append(row)
    out = []
    for _ in range(min(number, sum(map(len, by_author.values())))):
        author = chance.choices(authors, weights)[0]
        poem = chance.choice(by_author[author])
        kind = chance.random()
        if kind > NAMELESS_SHARE and chance.random() < STRANGE_SHARE:
            author = chance.choices(authors, weights)[0]
        asked = theme(poem, chance)
        head = chat_row(tokenizer, asked, "").ids[:-1]
        whole = [*tokenizer(poem["text"], add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        tail = whole[:LONGEST_POEM]
        if kind < PLAIN_SHARE:
            head = [tokenizer.bos_token_id]
        if kind < NAMELESS_SHARE:
            out.append(NamedRow([*head, *tail], len(head), head, lang, None))
            continue
        own = chat_row(tokenizer, named(lang, asked, author, chance), "").ids[:-1]
        out.append(NamedRow([*own, *tail], len(own), head, lang, authors.index(author)))
    return out


def lesson(rows: list[NamedRow], part: Part, seed: int) -> list[Row]:
    """The rows of one part: of those that name someone a share, mostly cut short; the others whole."""
    chance = random.Random(seed)
    out: list[Row] = []
    for row in rows:
        if row.author is None:
            out += [row] * part.nameless
        elif chance.random() < part.named[row.lang]:
            out.append(row if chance.random() < part.whole else replace(row, ids=row.ids[: row.first + SHORT_POEM]))
    return out


def distillation(
    teacher: nn.Module, heard: dict[str, Voices], strength: dict[str, float]
) -> Callable[[nn.Module, list[Row], int], torch.Tensor]:
    """The summed cross-entropy (nats) of `NamedRow`s towards the teacher's distribution times the named voice."""

    def loss(model: nn.Module, batch: list[Row], pad: int) -> torch.Tensor:
        rows = [row for row in batch if isinstance(row, NamedRow)]
        tails = [row.ids[row.first :] for row in rows]
        with torch.no_grad():
            before = [Row([*row.unnamed, *tail], len(row.unnamed)) for row, tail in zip(rows, tails, strict=True)]
            wanted = counted_logits(teacher, before, pad)
            at = 0
            for row, tail in zip(rows, tails, strict=True):
                if row.author is not None:
                    voice = heard[row.lang].bias(row.author, tail, strength[row.lang])
                    wanted[at : at + len(tail)] += voice.to(wanted.device)
                at += len(tail)
            wanted = wanted.softmax(-1)
        return F.cross_entropy(counted_logits(model, rows, pad), wanted, reduction="sum")

    return loss


def counted_logits(model: nn.Module, rows: list[Row], pad: int) -> torch.Tensor:
    """Logits in float32 where labels count, row by row: (counted, tokens)."""
    device = next(model.parameters()).device
    ids, labels = (part.to(device) for part in collate(rows, pad))
    with torch.autocast(device.type, dtype=torch.bfloat16):
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        keep = labels[:, 1:] != -100
        logits = F.linear(hidden[keep], model.lm_head.weight)
    return logits.float()


def asked_by_name(tokenizer: PreTrainedTokenizerFast, rows: list[dict], plan: Plan) -> tuple[list[Row], int]:
    """Those of `rows` short enough, asked by theme and own author, and the bytes of their poems."""
    chance = random.Random(plan.seed)
    made = [(chat_row(tokenizer, named(r["lang"], theme(r, chance), r["author"], chance), r["text"]), r) for r in rows]
    short = [(row, of) for row, of in made if len(row.ids) <= plan.longest]
    return [row for row, _ in short], max(1, sum(len(of["text"].encode()) for _, of in short))


def teach_names(folder: Path, tokenizer_dir: Path, before: Path, out: Path, plan: Plan) -> dict[str, float]:
    """Train from `before` on what names mean; returns the last log row."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
    rows = load_rows(folder)
    validation, counts = held_out_rows(tokenizer, rows, plan.longest)
    heard: dict[str, Voices] = {}
    taught: list[NamedRow] = []
    for lang in ("en", "zh"):
        of_language = [row for row in rows if row["lang"] == lang]
        training = [row for row in of_language if not row["held_out"]]
        heard[lang] = voices(tokenizer, training, lang)
        if not heard[lang].poems:
            raise SystemExit(f"no author of {LEAST_POEMS} poems in {lang!r}: the corpus needs more poems with authors.")
        taught += named_rows(tokenizer, training, heard[lang], lang, POEMS[lang], plan.seed)
        known = [row for row in of_language if row["held_out"] and row["author"] in heard[lang].poems][:CHECKED]
        validation[f"{lang}_named"], counts[f"{lang}_named"] = asked_by_name(tokenizer, known, plan)
    teacher = LlamaForCausalLM.from_pretrained(before, dtype="float32").eval()
    model = LlamaForCausalLM.from_pretrained(before, dtype="float32")
    spent = {"tokens": 0.0, "seconds": 0.0}
    for part in PARTS:
        short = replace(
            plan,
            minutes=plan.minutes * part.time,
            muon_rate=plan.muon_rate * 0.4 * part.rate,
            adam_rate=plan.adam_rate * 0.6 * part.rate,
            weight_decay=0.0,
            step_tokens=1000,
            flat_until=0.3 if part is PARTS[0] else 0.0,
            floor=0.0,
        )
        row = train(
            model,
            lesson(taught, part, plan.seed),
            validation,
            short,
            out / part.folder,
            counts,
            tokenizer.pad_token_id,
            distillation(teacher, heard, part.strength),
        )
        spent = {key: spent[key] + row[key] for key in spent}
    return {**row, **spent}
