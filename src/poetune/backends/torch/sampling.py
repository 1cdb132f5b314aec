"""Poems written in the middle of a training. They draw from their own seeds, so the training's course is the same."""

from collections.abc import Sequence

from poetune.backends.poem import PoemRow
from poetune.backends.torch.beams import write_beams
from poetune.backends.torch.generating import write_batch
from poetune.backends.torch.loading import Base
from poetune.ports import Request, Written


def write_samples(base: Base, requests: Sequence[Request], most: int) -> list[tuple[str, str]]:
    """Id and text of each, in the order asked, by the model as it stands; at most `most` are written together."""
    rows = [PoemRow(base.renderer, base.context, request) for request in requests]
    plain = [row for row in rows if row.sampling.beams <= 1]
    written: list[Written] = [write_beams(base, row) for row in rows if row.sampling.beams > 1]
    for start in range(0, len(plain), most):
        written += write_batch(base, plain[start : start + most])
    texts = {each.id: each.text for each in written}
    return [(request.id, texts[request.id]) for request in requests]
