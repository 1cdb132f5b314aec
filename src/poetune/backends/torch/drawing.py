"""One token for each row of a batch: temperature, top-k, top-p and min-p, exact, and without sorting the vocabulary.

Top-p is drawn by trial: a token is taken from the whole distribution and kept if it lies in the nucleus, which one sum
over the more probable tokens tells. A trial succeeds with at least the probability top-p, so at 0.95 one is nearly
always enough, however flat the distribution; after four the nucleus itself is found. Tokens that tie at the edge of the
nucleus are all in it. Places are looked up in the order of ids, so that near equals never change places.
"""

from dataclasses import dataclass, fields
from typing import Any

import torch

_TRIALS = 4
_BLOCK = 256
_CACHED = 1 << 20  # logits that several passes go over while they are in a processor's cache
_BINS, _PER_LOGIT = 2048, 64.0


@dataclass(slots=True)
class Knobs:
    """Per row: temperature (0 = greedy), top-k (0 = off), top-p (1 = off), min-p (0 = off); tensors of length batch."""

    temperature: Any
    top_k: Any
    top_p: Any
    min_p: Any

    def select(self, rows: Any) -> "Knobs":
        """The knobs of some rows."""
        return Knobs(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw(logits: Any, uniform: Any, knobs: Knobs) -> Any:
    """Ids (batch,) from logits (batch, vocabulary) and uniform numbers in [0, 1) (batch, float64)."""
    few = max(1, _CACHED // logits.shape[1]) if logits.device.type == "cpu" else len(logits)
    parts = [
        _draw(logits[start : start + few], uniform[start : start + few], knobs.select(slice(start, start + few)))
        for start in range(0, len(logits), few)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _draw(logits: Any, uniform: Any, knobs: Knobs) -> Any:
    out = torch.empty(len(logits), dtype=torch.long, device=logits.device)
    cold = knobs.temperature == 0
    limited = ~cold & (knobs.top_k > 0)
    for kind, which in (("cold", cold), ("limited", limited), ("open", ~(cold | limited))):
        if not bool(which.any()):
            continue
        rows = which.nonzero()[:, 0] if not bool(which.all()) else slice(None)
        if kind == "cold":
            out[rows] = logits[rows].argmax(-1)
            continue
        way = _from_largest if kind == "limited" else _by_trial
        out[rows] = way(logits[rows], uniform[rows], knobs.select(rows))
    return out


def _warm(logits: Any, knobs: Knobs) -> Any:
    return logits.float() / knobs.temperature[:, None]


def _from_largest(logits: Any, uniform: Any, knobs: Knobs) -> Any:
    """top-k, then the others among these."""
    scaled = _warm(logits, knobs)
    size = scaled.shape[-1]
    k = min(int(knobs.top_k.max()), size)
    values, ids = scaled.topk(k, dim=-1)
    rank = torch.arange(k, device=scaled.device)
    values = values.double().masked_fill(rank[None] >= knobs.top_k[:, None], -torch.inf)
    p = values.softmax(-1)
    keep = (p.cumsum(-1) - p < knobs.top_p[:, None]) & (p > 0) & (p >= knobs.min_p[:, None] * p[:, :1])
    keep[:, 0] = True
    ids, order = ids.masked_fill(~keep, size).sort(dim=-1)
    place = _inverse((p * keep).gather(1, order), uniform)
    return ids.gather(1, place[:, None])[:, 0]


def _by_trial(logits: Any, uniform: Any, knobs: Knobs) -> Any:
    """top-p and min-p, or neither."""
    p = _warm(logits, knobs)
    p.sub_(p.amax(-1, keepdim=True)).exp_()
    even = p.shape[-1] // _BLOCK * _BLOCK
    sums = p[:, :even].unflatten(-1, (-1, _BLOCK)).sum(-1)
    if even < p.shape[-1]:
        sums = torch.cat([sums, p[:, even:].sum(-1, keepdim=True)], -1)
    running = sums.double().cumsum(-1)
    out = torch.empty(len(p), dtype=torch.long, device=p.device)
    left = torch.arange(len(p), device=p.device)
    for trial in range(_TRIALS):
        all_left = len(left) == len(p)
        here, sum_here = (p, running) if all_left else (p[left], running[left])
        ids = _look_up(here, sum_here, fresh(uniform[left], trial))
        own = here.gather(1, ids[:, None])
        narrow = knobs.top_p[left] < 1
        kept = own[:, 0] >= knobs.min_p[left]  # the largest p is 1
        if bool(narrow.any()):
            above = torch.where(here > own, here, 0.0).sum(-1).double()
            kept &= ~narrow | (above < knobs.top_p[left] * sum_here[:, -1])
        out[left[kept]] = ids[kept]
        left = left[~kept]
        if not len(left):
            return out
    rest = knobs.select(left)
    out[left] = _from_all(_warm(logits[left], rest), fresh(uniform[left], _TRIALS), rest)
    return out


def _look_up(p: Any, running: Any, uniform: Any) -> Any:
    """Ids at which the running sum of p passes uniform x its total, found by blocks whose running sums are known."""
    target = uniform * running[:, -1]
    block = torch.searchsorted(running, target[:, None], right=True).clamp(max=running.shape[-1] - 1)
    before = torch.where(block > 0, running.gather(1, (block - 1).clamp(min=0)), 0.0)
    places = block * _BLOCK + torch.arange(_BLOCK, device=p.device)
    inside = p.gather(1, places.clamp(max=p.shape[-1] - 1)).double() * (places < p.shape[-1])
    sums = inside.cumsum(-1)
    place = torch.searchsorted(sums, target[:, None] - before, right=True)[:, 0]
    last = torch.searchsorted(sums, sums[:, -1:].contiguous())[:, 0]  # rounding must not run past the block
    return block[:, 0] * _BLOCK + torch.minimum(place, last)


def fresh(uniform: Any, trial: int) -> Any:
    """A row's number for a further trial: its first one's bits through splitmix64 (Steele, Lea, Flood 2014)."""
    if not trial:
        return uniform
    bits = (uniform * 2.0**53).long() + ((trial * 0x9E3779B97F4A7C15 + 2**63) % 2**64 - 2**63)
    bits = (bits ^ _shift(bits, 30)) * (0xBF58476D1CE4E5B9 - 2**64)
    bits = (bits ^ _shift(bits, 27)) * (0x94D049BB133111EB - 2**64)
    return _shift(bits ^ _shift(bits, 31), 11).double() * 2.0**-53


def _shift(bits: Any, count: int) -> Any:
    return (bits >> count) & ((1 << (64 - count)) - 1)


def _from_all(scaled: Any, uniform: Any, knobs: Knobs) -> Any:
    """Draws from exact nuclei: a histogram over the logits finds where each ends, and only that bin is sorted."""
    p = torch.softmax(scaled.double(), -1)
    bins = ((scaled.amax(-1, keepdim=True) - scaled) * _PER_LOGIT).clamp(max=_BINS - 1).long()
    mass = torch.zeros((len(p), _BINS), dtype=p.dtype, device=p.device).scatter_add_(1, bins, p)
    sums = mass.cumsum(-1)
    last = torch.searchsorted(sums, knobs.top_p[:, None]).clamp(max=_BINS - 1)
    before = (sums - mass).gather(1, last)
    inside = bins == last
    values, ids = p.masked_fill(~inside, 0.0).topk(int(inside.sum(-1).max()), dim=-1)
    fits = (before + values.cumsum(-1) - values < knobs.top_p[:, None]) & (values > 0)
    keep = bins < last
    keep.scatter_(1, ids, keep.gather(1, ids) | fits)
    keep &= p >= knobs.min_p[:, None] * p.amax(-1, keepdim=True)
    return _inverse(p * keep, uniform)


def _inverse(p: Any, uniform: Any) -> Any:
    """The first place at which the running sum of p passes uniform x its total; places with p = 0 are never drawn."""
    sums = p.cumsum(-1)
    place = torch.searchsorted(sums, (uniform * sums[:, -1])[:, None], right=True)[:, 0]
    last = torch.searchsorted(sums, sums[:, -1:].contiguous())[:, 0]
    return torch.minimum(place, last)
