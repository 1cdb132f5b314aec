"""One token for each row of a batch: temperature, top-k, top-p and min-p by inverse CDF.

The kept tokens are laid out in the order of their ids, so that two of nearly equal probability never change places
when the last bits of the logits do.
"""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx

from poetune.records import Sampling

LARGE = 16384  # vocabularies from this size on are not sorted
_HALVINGS = 40


def draw(logits: Any, uniform: Sequence[float], samplings: Sequence[Sampling]) -> Any:
    """Ids (batch,) from logits or log-probabilities (batch, vocabulary) and uniform numbers in [0, 1)."""
    greedy = mx.argmax(logits, axis=-1)
    if all(each.temperature == 0 for each in samplings):
        return greedy
    size = logits.shape[-1]
    cold = mx.array([each.temperature == 0 for each in samplings])
    heat = mx.array([each.temperature or 1.0 for each in samplings])[:, None]
    scaled = logits.astype(mx.float32) / heat
    scaled = scaled - scaled.max(axis=-1, keepdims=True)
    bounds = _halved if size >= LARGE else _sorted
    if any(each.top_k for each in samplings):
        most = mx.array([min(each.top_k or size, size) for each in samplings])[:, None]
        scaled = mx.where(scaled >= bounds(scaled, mx.ones_like(scaled), most), scaled, -mx.inf)
    p = mx.exp(scaled)
    if any(each.top_p < 1 for each in samplings):
        share = mx.array([each.top_p for each in samplings])[:, None]
        wanted = mx.where(share < 1, share * p.sum(axis=-1, keepdims=True), mx.inf)
        p = mx.where(scaled >= bounds(scaled, p, wanted), p, 0)
    if any(each.min_p for each in samplings):
        least = mx.array([each.min_p for each in samplings])[:, None]
        p = mx.where(p >= least, p, 0)  # the largest p is 1
    sums = mx.cumsum(p, axis=-1)
    point = mx.array(list(uniform), dtype=mx.float32)[:, None] * sums[:, -1:]
    place = (sums <= point).sum(axis=-1)
    last = (mx.arange(size) * (p > 0)).max(axis=-1)
    return mx.where(cold, greedy, mx.minimum(place, last).astype(greedy.dtype))


def _sorted(scaled: Any, mass: Any, wanted: Any) -> Any:
    """The highest bound (batch, 1) above which there is the mass wanted; the lowest logit where there never is."""
    order = mx.argsort(-scaled, axis=-1)
    sums = mx.cumsum(mx.take_along_axis(mass, order, axis=-1), axis=-1)
    place = mx.minimum((sums < wanted).sum(axis=-1, keepdims=True), scaled.shape[-1] - 1)
    return mx.take_along_axis(scaled, mx.take_along_axis(order, place, axis=-1), axis=-1)


def _halved(scaled: Any, mass: Any, wanted: Any) -> Any:
    """The same without sorting: bounds are tried until no number lies between the last two."""

    def enough(bound: Any) -> Any:
        return mx.where(scaled >= bound, mass, 0).sum(axis=-1, keepdims=True) >= wanted

    low = mx.where(scaled > -mx.inf, scaled, 0).min(axis=-1, keepdims=True)
    high = mx.zeros_like(low)
    alone = enough(high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        here = enough(middle)
        low, high = mx.where(here, middle, low), mx.where(here, high, middle)
    return mx.where(alone, 0, low)
