"""Tokens drawn on mlx: exact nuclei, by sorting and without."""

import numpy as np
import pytest

pytest.importorskip("mlx_lm")

import mlx.core as mx
from hypothesis import given
from hypothesis import strategies as st

from poetune.backends.mlx import drawing
from poetune.backends.mlx.drawing import draw
from poetune.records import Sampling

SAMPLING = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 0.5, 1.0, 1.7]),
    top_p=st.sampled_from([0.3, 0.9, 1.0]),
    top_k=st.sampled_from([0, 1, 5, 99]),
    min_p=st.sampled_from([0.0, 0.1]),
)


def by_hand(logits, uniform, sampling):
    """One row in numpy: the tokens that stay, most probable first, then laid out by id."""
    if sampling.temperature == 0:
        return int(np.argmax(logits))
    p = np.exp((logits - logits.max()) / sampling.temperature)
    order = np.argsort(-p, kind="stable")
    kept = order[: sampling.top_k] if sampling.top_k else order
    before = np.cumsum(p[kept]) - p[kept]
    kept = kept[before < sampling.top_p * p[kept].sum()] if sampling.top_p < 1 else kept
    ids = np.sort(kept[p[kept] >= sampling.min_p])
    sums = np.cumsum(p[ids])
    return int(ids[min(np.searchsorted(sums, uniform * sums[-1], side="right"), len(ids) - 1)])


@pytest.mark.parametrize("large", [1, 10**6])
@given(samplings=st.lists(SAMPLING, min_size=1, max_size=4), seed=st.integers(0, 99))
def test_each_row_draws_what_its_own_law_says(large, samplings, seed):
    random = np.random.default_rng(seed)
    logits = (2 * random.standard_normal((len(samplings), 40))).astype(np.float32)
    logits[:, 7] = -np.inf  # never to be written
    uniform = (0.05 + 0.9 * random.random(len(samplings))).tolist()
    before, drawing.LARGE = drawing.LARGE, large
    try:
        drawn = draw(mx.array(logits), uniform, samplings).tolist()
    finally:
        drawing.LARGE = before
    assert drawn == [by_hand(*row) for row in zip(logits.astype(np.float64), uniform, samplings, strict=True)]


def test_the_highest_number_draws_a_token_that_may_be_written():
    logits = mx.array([[0.0, 1.0, -mx.inf]])
    for sampling in (Sampling(temperature=1, top_p=1), Sampling(temperature=1, top_p=0.9, top_k=2)):
        assert draw(logits, [1 - 2**-53], [sampling]).item() == 1
        assert draw(logits, [0.0], [sampling]).item() == 0
