"""Step 3: pretrain a small Llama on whole poems; Muon for the matrices, AdamW for the rest; resumable, best kept.

The learning rate is a function of the share of the time budget that has passed, so that any machine ends its schedule.
"""

import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from tools.starter.packing import Row, batches, collate, plain_rows
from tools.starter.prepare import load_rows


@dataclass(frozen=True, slots=True)
class Plan:
    """The shape of the model and of one training stage. `minutes` is the stage's share of wall-clock time."""

    minutes: float = 100.0
    hidden: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    mlp: int = 768
    longest: int = 320
    step_tokens: int = 4608
    micro_tokens: int = 2304
    muon_rate: float = 0.015
    adam_rate: float = 2.5e-3
    weight_decay: float = 0.05
    warmup: float = 0.01
    flat_until: float = 0.4
    floor: float = 0.2
    seed: int = 0
    max_steps: int = 0


def rate(plan: Plan, progress: float) -> float:
    """Multiplier of both learning rates at `progress` in 0..1: warm-up, flat, then linear down to `floor`."""
    if progress < plan.warmup:
        return max(progress / plan.warmup, 0.02)
    if progress < plan.flat_until:
        return 1.0
    share = min(1.0, (progress - plan.flat_until) / (1 - plan.flat_until))
    return 1.0 + (plan.floor - 1.0) * share


def build_model(plan: Plan, tokenizer_dir: Path) -> LlamaForCausalLM:
    """A Llama with tied head, initialised for the Muon rates used here."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
    torch.manual_seed(plan.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.hidden,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.kv_heads,
        intermediate_size=plan.mlp,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def optimizers(model: nn.Module, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon on the layers' matrices, AdamW on the embedding and the norms."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    rest = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        torch.optim.Muon(matrices, lr=plan.muon_rate, weight_decay=plan.weight_decay, adjust_lr_fn="original"),
        torch.optim.AdamW(rest, lr=plan.adam_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def loss_sum(
    model: nn.Module, ids: torch.Tensor, labels: torch.Tensor, exact: bool = False
) -> tuple[torch.Tensor, int]:
    """Summed cross-entropy (nats) over the labelled tokens, and their number; bfloat16 matrices unless `exact`."""
    device = next(model.parameters()).device
    ids, labels = ids.to(device), labels.to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=not exact):
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        keep = labels[:, 1:] != -100
        logits = F.linear(hidden[keep], model.lm_head.weight)
    target = labels[:, 1:][keep]
    return F.cross_entropy(logits.float(), target, reduction="sum"), int(target.numel())


def truth_loss(model: nn.Module, batch: list[Row], pad: int) -> torch.Tensor:
    """The summed cross-entropy of a batch's own tokens."""
    return loss_sum(model, *collate(batch, pad))[0]


def train(
    model: nn.Module,
    rows: list[Row],
    validation: dict[str, list[Row]],
    plan: Plan,
    out: Path,
    byte_counts: dict[str, int],
    pad: int,
    batch_loss: Callable[[nn.Module, list[Row], int], torch.Tensor] = truth_loss,
) -> dict[str, float]:
    """Run one stage, resuming from `out/state.pt` if it is there; returns the last log row."""
    out.mkdir(parents=True, exist_ok=True)
    state_file = out / "state.pt"
    steppers = optimizers(model, plan)
    done = {"step": 0, "tokens": 0, "seconds": 0.0, "best": math.inf}
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        model.load_state_dict(state["model"])
        for stepper, saved in zip(steppers, state["optimizers"], strict=True):
            stepper.load_state_dict(saved)
        done = state["done"]
    started, last_save, last_eval = time.monotonic(), time.monotonic(), time.monotonic()
    before = done["seconds"]
    row_log: dict[str, float] = {}
    running = 0.0
    model.train()
    stream = _endless(rows, plan, done["step"])
    while True:
        done["seconds"] = before + time.monotonic() - started
        progress = done["seconds"] / (plan.minutes * 60)
        if plan.max_steps:
            progress = max(progress, done["step"] / plan.max_steps)
        if progress >= 1:
            break
        factor = rate(plan, progress)
        for stepper, base in zip(steppers, (plan.muon_rate, plan.adam_rate), strict=True):
            stepper.param_groups[0]["lr"] = base * factor
        total, counted = 0.0, 0
        pieces = []
        while counted < plan.step_tokens:
            batch = next(stream)
            pieces.append(batch)
            counted += sum(len(r.ids) - r.first for r in batch)
        for batch in pieces:
            loss = batch_loss(model, batch, pad)
            (loss / counted).backward()
            total += float(loss.detach())
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for stepper in steppers:
            stepper.step()
            stepper.zero_grad(set_to_none=True)
        done["step"] += 1
        done["tokens"] += counted
        running = 0.95 * running + 0.05 * total / counted if running else total / counted
        now = time.monotonic()
        if now - last_eval > 300 or done["step"] == 50:
            last_eval = now
            row_log = _report(model, validation, byte_counts, plan, done, running, out, pad)
        if now - last_save > 240:
            last_save = now
            _save(state_file, model, steppers, done)
    row_log = _report(model, validation, byte_counts, plan, done, running, out, pad)
    _save(state_file, model, steppers, done)
    return row_log


def _endless(rows: list[Row], plan: Plan, step: int) -> Iterator[list[Row]]:
    epoch = step * 1000003 + plan.seed
    while True:
        yield from batches(rows, plan.micro_tokens, epoch)
        epoch += 1


@torch.no_grad()
def bits_per_byte(model: nn.Module, rows: list[Row], byte_count: int, pad: int) -> float:
    """Bits of all labelled tokens over the bytes of their text."""
    model.eval()
    nats = 0.0
    for batch in batches(rows, 4096, 0):
        nats += float(loss_sum(model, *collate(batch, pad))[0])
    model.train()
    return nats / math.log(2) / byte_count


def _report(model, validation, byte_counts, plan, done, running, out, pad) -> dict[str, float]:  # type: ignore[no-untyped-def]
    row = {**done, "train_nats_per_token": running}
    for lang, held in validation.items():
        row[f"bpb_{lang}"] = bits_per_byte(model, held, byte_counts[lang], pad)
    score = sum(row[f"bpb_{lang}"] for lang in validation)
    if score < done["best"]:
        done["best"] = score
        model.save_pretrained(out / "best")
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps({"time": time.strftime("%H:%M:%S"), "plan": asdict(plan), **row}) + "\n")
    print({k: round(v, 4) for k, v in row.items()}, flush=True)
    return row


def _save(path: Path, model: nn.Module, steppers: list[torch.optim.Optimizer], done: dict) -> None:
    aside = path.with_suffix(".tmp")
    torch.save({"model": model.state_dict(), "optimizers": [s.state_dict() for s in steppers], "done": done}, aside)
    os.replace(aside, path)


def held_out_rows(
    tokenizer, rows: list[dict], longest: int, each: int = 250
) -> tuple[dict[str, list[Row]], dict[str, int]]:  # type: ignore[no-untyped-def]
    """Held-out rows and byte counts by language (EOS is predicted too, and counted as no byte)."""
    validation, counts = {}, {}
    for lang in ("en", "zh"):
        texts = [r["text"] for r in rows if r["held_out"] and r["lang"] == lang][:each]
        if not texts:
            raise SystemExit(f"no held-out poem in {lang!r}: the corpus needs some hundred poems of each language.")
        validation[lang] = plain_rows(tokenizer, texts, longest)
        counts[lang] = sum(len(t.encode()) for t in texts)
    return validation, counts


def balanced(rows: dict[str, list[Row]], seed: int) -> list[Row]:
    """All rows of the language with fewer tokens, and as many tokens of the other."""
    sizes = {lang: sum(len(r.ids) for r in part) for lang, part in rows.items()}
    budget = min(sizes.values()) * 1.25
    out: list[Row] = []
    for part in rows.values():
        part = list(part)
        random.Random(seed).shuffle(part)
        taken = 0
        for row in part:
            if taken > budget:
                break
            out.append(row)
            taken += len(row.ids)
    return out


def pretrain(folder: Path, tokenizer_dir: Path, out: Path, plan: Plan) -> dict[str, float]:
    """Train a new model (or resume) on the plain poems of `folder/rows.jsonl`; returns the last log row."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
    rows = load_rows(folder)
    validation, counts = held_out_rows(tokenizer, rows, plan.longest)
    by_language = {
        lang: plain_rows(tokenizer, [r["text"] for r in rows if r["lang"] == lang and not r["held_out"]], plan.longest)
        for lang in ("en", "zh")
    }
    training = balanced(by_language, plan.seed)
    del rows, by_language
    model = build_model(plan, tokenizer_dir)
    return train(model, training, validation, plan, out, counts, tokenizer.pad_token_id)
