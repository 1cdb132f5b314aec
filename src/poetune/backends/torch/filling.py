"""Fill the boundary cache: each lower layer in turn over all texts, loaded just before and freed just after."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from poetune.backends.torch.placeholders import layers_of, stand_in
from poetune.backends.torch.stack import Stack, unfit
from poetune.backends.torch.states import States

_PART_BYTES = 512 << 20  # states held in memory at a time
_CALL_TOKENS = 1024

Ids = Sequence[int]


def fill(
    states: States,
    texts: Sequence[Ids],
    decoder: Any,
    first: int,
    lent: Callable[[int], Any],
    device: Any,
    dtype: Any,
) -> int:
    """Add the entries of texts that have none; the number of texts added.

    `decoder` has its embeddings and, in place of layers below `first`, stand-ins; `lent(i)` is layer i with weights.
    """
    todo = sorted(states.missing(texts), key=len)
    size = decoder.config.hidden_size * torch.finfo(dtype).bits // 8
    for part in _parts(todo, max(1, _PART_BYTES // size)):
        current: list[Any] = [None] * len(part)
        for number in range(first):
            layer = lent(number)
            with torch.inference_mode():
                for call in _calls(part):
                    some, before = [part[i] for i in call], [current[i] for i in call]
                    if unfit(decoder):
                        after = _padded(decoder, number, layer, some, before, device)
                    else:
                        after = _packed(decoder, number, layer, some, before, device)
                    for i, each in zip(call, after, strict=True):
                        current[i] = each.cpu() if device.type == "cuda" else each
            del layer
        states.add(part, current)
    return len(todo)


def _packed(
    decoder: Any, number: int, layer: Any, texts: Sequence[Ids], current: Sequence[Any], device: Any
) -> list[Any]:
    """Rows end to end through one layer of a family that `stack` knows."""
    lengths = [len(ids) for ids in texts]
    if number == 0:
        x = decoder.embed_tokens(torch.tensor([i for ids in texts for i in ids], device=device))
    else:
        x = torch.cat([each.to(device) for each in current])
    return list(Stack(decoder, number).one(layer, x, lengths).split(lengths))


def _padded(
    decoder: Any, number: int, layer: Any, texts: Sequence[Ids], current: Sequence[Any], device: Any
) -> list[Any]:
    """Rows padded on the right through one layer, by the decoder's own forward."""
    layers = layers_of(decoder)
    longest = max(len(ids) for ids in texts)
    ids = torch.zeros((len(texts), longest), dtype=torch.long, device=device)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = torch.tensor(text, device=device)
    before = [layers[i] for i in range(len(layers))]
    feeding, hearing = stand_in(decoder), stand_in(decoder)
    if number:
        feeding.feed = pad(current, longest, device)
    try:
        for i in range(len(layers)):
            layers[i] = stand_in(decoder)
        layers[number] = layer
        if number:
            layers[number - 1] = feeding
        if number + 1 < len(layers):
            layers[number + 1] = hearing
        decoder(input_ids=ids, use_cache=False)
    finally:
        for i, each in enumerate(before):
            layers[i] = each
    return [each[: len(text)].clone() for each, text in zip(hearing.heard, texts, strict=True)]


def pad(states: Sequence[Any], longest: int, device: Any) -> Any:
    """(rows, longest, size), zero on the right."""
    out = torch.zeros((len(states), longest, states[0].shape[-1]), dtype=states[0].dtype, device=device)
    for row, each in zip(out, states, strict=True):
        row[: len(each)] = each
    return out


def _parts(texts: Sequence[Ids], most: int) -> Iterator[list[Ids]]:
    part: list[Ids] = []
    tokens = 0
    for ids in texts:
        if part and tokens + len(ids) > most:
            yield part
            part, tokens = [], 0
        part.append(ids)
        tokens += len(ids)
    if part:
        yield part


def _calls(texts: Sequence[Ids]) -> Iterator[list[int]]:
    """Numbers of neighbouring texts, about a thousand tokens together."""
    call: list[int] = []
    tokens = 0
    for i, ids in enumerate(texts):
        if call and tokens + len(ids) > _CALL_TOKENS:
            yield call
            call, tokens = [], 0
        call.append(i)
        tokens += len(ids)
    if call:
        yield call
