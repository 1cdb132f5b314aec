"""One token for each row of a batch: temperature, top-k and top-p by inverse CDF, without sorting the vocabulary.

The kept tokens are laid out in the order of their ids, so that two of nearly equal probability never change places
when the last bits of the logits do.
"""

from dataclasses import dataclass
from typing import Any

import torch

PREFILTER = 1024
_LARGE = 16384  # vocabularies from this size on are looked at through their PREFILTER largest logits first
_BINS, _PER_LOGIT = 2048, 64.0


@dataclass(slots=True)
class Knobs:
    """Per row: temperature (0 = greedy), top-k (0 = off), top-p (1 = off); tensors of length batch."""

    temperature: Any
    top_k: Any
    top_p: Any

    def select(self, rows: Any) -> "Knobs":
        """The knobs of some rows."""
        return Knobs(self.temperature[rows], self.top_k[rows], self.top_p[rows])


def draw(logits: Any, uniform: Any, knobs: Knobs) -> Any:
    """Ids (batch,) from logits (batch, vocabulary) and uniform numbers in [0, 1) (batch, float64)."""
    out = torch.empty(len(logits), dtype=torch.long, device=logits.device)
    cold = knobs.temperature == 0
    limited = ~cold & (knobs.top_k > 0)
    free = ~cold & ~limited & (knobs.top_p >= 1)
    for kind, which in (("cold", cold), ("limited", limited), ("free", free), ("open", ~(cold | limited | free))):
        if not bool(which.any()):
            continue
        rows = which.nonzero()[:, 0]
        if kind == "cold":
            out[rows] = logits[rows].argmax(-1)
            continue
        scaled, u, own = logits[rows].float() / knobs.temperature[rows, None], uniform[rows], knobs.select(rows)
        if kind == "free":
            out[rows] = _inverse(torch.softmax(scaled.double(), -1), u)
        elif kind == "limited":
            out[rows] = _from_largest(scaled, u, own, int(own.top_k.max()))[0]
        else:
            out[rows] = _open(scaled, u, own)
    return out


def _open(scaled: Any, uniform: Any, knobs: Knobs) -> Any:
    """top-p alone. A nucleus wider than the prefilter is found over the whole vocabulary instead."""
    if scaled.shape[-1] < _LARGE:
        return _from_all(scaled, uniform, knobs.top_p)
    drawn, covered = _from_largest(scaled, uniform, knobs, PREFILTER)
    if not bool(covered.all()):
        rows = (~covered).nonzero()[:, 0]
        drawn[rows] = _from_all(scaled[rows], uniform[rows], knobs.top_p[rows])
    return drawn


def _from_largest(scaled: Any, uniform: Any, knobs: Knobs, k: int) -> tuple[Any, Any]:
    """Draws from the k largest logits, and for which rows these cover the nucleus."""
    size = scaled.shape[-1]
    k = min(k, size)
    values, ids = scaled.topk(k, dim=-1)
    values = values.double()
    limit = torch.where(knobs.top_k > 0, knobs.top_k, size)
    rank = torch.arange(k, device=scaled.device)
    values = values.masked_fill(rank[None] >= limit[:, None], -torch.inf)
    whole = torch.where(limit <= k, values.logsumexp(-1), scaled.double().logsumexp(-1))
    p = (values - whole[:, None]).exp()
    sums = p.cumsum(-1)
    keep = (sums - p < knobs.top_p[:, None]) & (p > 0)
    keep[:, 0] = True
    most = int(keep.sum(-1).max())
    ids, order = ids.masked_fill(~keep, size)[:, :most].sort(dim=-1)
    place = _inverse((p * keep)[:, :most].gather(1, order), uniform)
    return ids.gather(1, place[:, None])[:, 0], (sums[:, -1] >= knobs.top_p) | (limit <= k)


def _from_all(scaled: Any, uniform: Any, top_p: Any) -> Any:
    """Draws from exact nuclei: a histogram over the logits finds where each ends, and only that bin is sorted."""
    p = torch.softmax(scaled.double(), -1)
    bins = ((scaled.amax(-1, keepdim=True) - scaled) * _PER_LOGIT).clamp(max=_BINS - 1).long()
    mass = torch.zeros((len(p), _BINS), dtype=p.dtype, device=p.device).scatter_add_(1, bins, p)
    sums = mass.cumsum(-1)
    last = torch.searchsorted(sums, top_p[:, None]).clamp(max=_BINS - 1)
    before = (sums - mass).gather(1, last)
    inside = bins == last
    values, ids = p.masked_fill(~inside, 0.0).topk(int(inside.sum(-1).max()), dim=-1)
    fits = (before + values.cumsum(-1) - values < top_p[:, None]) & (values > 0)
    keep = bins < last
    keep.scatter_(1, ids, keep.gather(1, ids) | fits)
    return _inverse(p * keep, uniform)


def _inverse(p: Any, uniform: Any) -> Any:
    """The first place at which the running sum of p passes uniform x its total; places with p = 0 are never drawn."""
    sums = p.cumsum(-1)
    place = torch.searchsorted(sums, (uniform * sums[:, -1])[:, None], right=True)[:, 0]
    last = torch.searchsorted(sums, sums[:, -1:].contiguous())[:, 0]
    return torch.minimum(place, last)
