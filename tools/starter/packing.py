"""Token rows for training: whole poems, long ones cut at line breaks, in batches of like length."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True, slots=True)
class Row:
    """One training row: token ids, and the position of the first token that counts in the loss."""

    ids: list[int]
    first: int


def plain_rows(tokenizer: PreTrainedTokenizerFast, texts: list[str], longest: int) -> list[Row]:
    """BOS + poem + EOS; a poem over `longest` tokens is cut between stanzas or lines, and only its end carries EOS."""
    rows: list[Row] = []
    for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]:
        ids = [*ids, tokenizer.eos_token_id]
        while len(ids) >= longest:
            cut = _last_break(tokenizer, ids[: longest - 1])
            rows.append(Row([tokenizer.bos_token_id, *ids[:cut]], 1))
            ids = ids[cut:]
        if len(ids) > 2:
            rows.append(Row([tokenizer.bos_token_id, *ids], 1))
    return rows


def _last_break(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> int:
    newline = _newline_ids(tokenizer)
    for position in range(len(ids) - 1, len(ids) // 2, -1):
        if ids[position] in newline:
            return position + 1
    return len(ids)


_NEWLINES: dict[int, frozenset[int]] = {}


def _newline_ids(tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    key = id(tokenizer)
    if key not in _NEWLINES:
        vocabulary = tokenizer.get_vocab()
        _NEWLINES[key] = frozenset(i for token, i in vocabulary.items() if token.endswith("Ċ"))
    return _NEWLINES[key]


def chat_row(tokenizer: PreTrainedTokenizerFast, prompt: str, completion: str) -> Row:
    """A user turn and an assistant turn by the chat template; only the assistant's tokens and its EOS count."""
    before = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
    )
    head = tokenizer(before, add_special_tokens=False)["input_ids"]
    tail = tokenizer(completion, add_special_tokens=False)["input_ids"]
    return Row([*head, *tail, tokenizer.eos_token_id], len(head))


def batches(rows: list[Row], tokens: int, seed: int) -> Iterator[list[Row]]:
    """One epoch: rows shuffled, sorted by length inside windows, cut into batches of about `tokens`, shuffled again."""
    rng = random.Random(seed)
    order = list(range(len(rows)))
    rng.shuffle(order)
    window = 4096
    cut: list[list[Row]] = []
    for start in range(0, len(order), window):
        part = sorted((rows[i] for i in order[start : start + window]), key=lambda r: len(r.ids))
        batch: list[Row] = []
        for row in part:
            if batch and (len(batch) + 1) * len(row.ids) > tokens:
                cut.append(batch)
                batch = []
            batch.append(row)
        if batch:
            cut.append(batch)
    rng.shuffle(cut)
    yield from cut


def collate(batch: list[Row], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (rows, longest) padded right with `pad`, and labels with -100 where nothing counts."""
    longest = -(-max(len(row.ids) for row in batch) // 8) * 8
    ids = torch.full((len(batch), longest), pad)
    labels = torch.full((len(batch), longest), -100)
    for i, row in enumerate(batch):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        labels[i, row.first : len(row.ids)] = torch.tensor(row.ids[row.first :])
    return ids, labels
