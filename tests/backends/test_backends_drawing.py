import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from poetune.backends.torch import drawing  # noqa: E402


def reference(logits, u, temperature, top_k, top_p):
    """Temperature, top-k, top-p and inverse CDF by id, written as plainly as they are defined."""
    order = sorted(range(len(logits)), key=lambda i: -logits[i])
    order = order[:top_k] if top_k else order
    weights = torch.tensor([logits[i] for i in order], dtype=torch.float64) / temperature
    p = torch.softmax(weights, 0).tolist()
    kept, total = [], 0.0
    for i, share in zip(order, p, strict=True):
        if kept and total >= top_p:
            break
        kept.append((i, share))
        total += share
    run = 0.0
    for i, share in sorted(kept):
        run += share
        if u * total < run:
            return i
    return sorted(kept)[-1][0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.lists(
        st.tuples(
            st.floats(0, 0.999), st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.sampled_from([0, 1, 7]),
            st.sampled_from([0.1, 0.6, 0.95, 1.0]),
        ),
        min_size=1, max_size=5,
    ),
    large=st.booleans(),
)  # fmt: skip
def test_draws_are_those_of_the_definition(seed, rows, large):
    torch.manual_seed(seed)
    logits = torch.randn(len(rows), 40) * 4
    before = drawing._LARGE, drawing.PREFILTER
    drawing._LARGE, drawing.PREFILTER = (1, 8) if large else (10**9, 8)
    try:
        uniform = torch.tensor([r[0] for r in rows], dtype=torch.float64)
        knobs = drawing.Knobs(
            torch.tensor([r[1] for r in rows]),
            torch.tensor([r[2] for r in rows]),
            torch.tensor([r[3] for r in rows], dtype=torch.float64),
        )
        drawn = drawing.draw(logits, uniform, knobs).tolist()
    finally:
        drawing._LARGE, drawing.PREFILTER = before
    for i, (u, temperature, top_k, top_p) in enumerate(rows):
        if temperature == 0:
            assert drawn[i] == int(logits[i].argmax())
        else:
            assert drawn[i] == reference(logits[i].tolist(), u, temperature, top_k, top_p)


def test_a_forbidden_token_is_never_drawn():
    logits = torch.full((2, 10), -torch.inf)
    logits[:, 3] = 0.0
    ends = torch.tensor([0.0, 1 - 1e-16], dtype=torch.float64)
    for top_p in (0.5, 1.0):
        knobs = drawing.Knobs(torch.ones(2), torch.zeros(2, dtype=torch.long), torch.full((2,), top_p).double())
        assert drawing.draw(logits, ends, knobs).tolist() == [3, 3]
