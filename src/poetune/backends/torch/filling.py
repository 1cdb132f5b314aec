"""Fill the boundary cache: each lower layer in turn over all texts, loaded just before and freed just after."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from poetune.backends.states import Ids, cut, parts
from poetune.backends.torch.placeholders import layers_of, stand_in
from poetune.backends.torch.stack import Stack, unfit
from poetune.backends.torch.states import States

_CALL_TOKENS = 1024
_WORTH = 8  # tokens saved


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
    kind = _Padded if unfit(decoder) else _Packed
    todo = sorted(states.missing(texts), key=kind.order)
    size = decoder.config.hidden_size * torch.finfo(dtype).bits // 8
    for part in parts(todo, size):
        calls = [kind(decoder, some, device) for some in cut(part, _CALL_TOKENS)]
        for number in range(first):
            layer = lent(number)
            with torch.inference_mode():
                for call in calls:
                    call.run(number, layer)
            del layer
        states.add(part, [each for call in calls for each in call.entries()])
    return len(todo)


def common(texts: Sequence[Ids]) -> int:
    """How many ids all texts begin with; 0 where computing them once would save next to nothing."""
    low, high = min(map(tuple, texts)), max(map(tuple, texts))  # what these two share, all between them do
    alike = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return alike if alike * (len(texts) - 1) >= _WORTH else 0


class _Packed:
    """Texts end to end through layers that `stack` knows; what all begin with goes through once."""

    @staticmethod
    def order(ids: Ids) -> Any:
        """Texts with the same beginning stand together."""
        return tuple(ids)

    def __init__(self, decoder: Any, texts: Sequence[Ids], device: Any) -> None:
        self.decoder, self.texts, self.device = decoder, texts, device
        self.shared = common([ids[:-1] for ids in texts])
        self.lengths = [len(ids) - self.shared for ids in texts]
        self.laid: Any = None

    def run(self, number: int, layer: Any) -> None:
        """Through one layer."""
        if number == 0:
            ids = [*self.texts[0][: self.shared], *(i for ids in self.texts for i in ids[self.shared :])]
            x = self.decoder.embed_tokens(torch.tensor(ids, device=self.device))
        else:
            x = self.laid.to(self.device)
        self.laid = Stack(self.decoder, number).one(layer, x, self.lengths, self.shared).cpu()

    def entries(self) -> list[Any]:
        """Each text's states (tokens, size)."""
        first, *rest = self.laid.split([self.shared, *self.lengths])
        return [torch.cat((first, each)) for each in rest]


class _Padded:
    """Texts padded on the right through the decoder's own forward."""

    @staticmethod
    def order(ids: Ids) -> Any:
        """Texts of like length stand together."""
        return len(ids)

    def __init__(self, decoder: Any, texts: Sequence[Ids], device: Any) -> None:
        self.decoder, self.texts, self.device = decoder, texts, device
        self.states: list[Any] = []

    def run(self, number: int, layer: Any) -> None:
        """Through one layer."""
        after = _padded(self.decoder, number, layer, self.texts, self.states, self.device)
        self.states = [each.cpu() for each in after]

    def entries(self) -> list[Any]:
        """Each text's states (tokens, size)."""
        return self.states


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
