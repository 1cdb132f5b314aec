"""Draws follow the definition: temperature, top-k, top-p, min-p."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from poetune.backends.torch import drawing  # noqa: E402


def kept(logits, temperature, top_k, top_p, min_p):
    """Ids and shares of what may be drawn, written as plainly as it is defined."""
    order = sorted(range(len(logits)), key=lambda i: -logits[i])
    order = order[:top_k] if top_k else order
    p = torch.softmax(torch.tensor([logits[i] for i in order], dtype=torch.float64) / temperature, 0).tolist()
    out, total = {}, 0.0
    for i, share in zip(order, p, strict=True):
        if out and (total >= top_p or share < min_p * p[0]):
            break
        out[i] = share
        total += share
    whole = sum(out.values())
    return {i: share / whole for i, share in out.items()}


def knobs(rows):
    columns = list(zip(*rows, strict=True))
    kinds = torch.float32, torch.long, torch.float64, torch.float64
    return drawing.Knobs(*(torch.tensor(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)))


LAWS = st.tuples(
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.sampled_from([0, 1, 7]),
    st.sampled_from([0.02, 0.6, 0.95, 1.0]),
    st.sampled_from([0.0, 0.2]),
)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.lists(LAWS, min_size=1, max_size=5), st.sampled_from([40, 300]))
def test_nothing_is_drawn_that_the_law_forbids(seed, rows, size):
    torch.manual_seed(seed)
    logits = torch.randn(len(rows), size) * 4
    drawn = drawing.draw(logits, torch.rand(len(rows), dtype=torch.float64), knobs(rows)).tolist()
    for i, (temperature, *law) in enumerate(rows):
        if temperature == 0:
            assert drawn[i] == int(logits[i].argmax())
        else:
            assert drawn[i] in kept(logits[i].tolist(), temperature, *law)


@pytest.mark.parametrize("law", [(0, 0.9, 0.0), (0, 0.2, 0.0), (0, 1.0, 0.0), (0, 0.95, 0.05), (12, 0.9, 0.0)])
@pytest.mark.parametrize("loud", [0.3, 2.0])
def test_what_is_allowed_is_drawn_as_often_as_it_should(law, loud):
    torch.manual_seed(5)
    row, count = torch.randn(400) * loud, 20000
    rows = knobs([(1.0, *law)] * count)
    drawn = drawing.draw(row.expand(count, -1), torch.rand(count, dtype=torch.float64), rows)
    found = torch.bincount(drawn, minlength=400).double()
    shares = kept(row.tolist(), 1.0, *law)
    expected = torch.zeros(400, dtype=torch.float64)
    for i, share in shares.items():
        expected[i] = share * count
    assert float(found[expected == 0].sum()) == 0
    free = len(shares) - 1
    squares = ((found - expected) ** 2 / expected.clamp(min=1e-9))[expected > 0].sum()
    assert float(squares) < free + 5 * (2 * max(free, 1)) ** 0.5  # five deviations of chi-squared


def test_a_row_draws_the_same_beside_any_others():
    torch.manual_seed(1)
    logits, uniform = torch.randn(9, 3000), torch.rand(9, dtype=torch.float64)
    rows = [(0.7, 0, 0.3, 0.0)] * 9
    together = drawing.draw(logits, uniform, knobs(rows)).tolist()
    assert together == [int(drawing.draw(logits[[i]], uniform[[i]], knobs(rows[:1]))) for i in range(9)]


def test_a_forbidden_token_is_never_drawn():
    logits = torch.full((2, 10), -torch.inf)
    logits[:, 3] = 0.0
    ends = torch.tensor([0.0, 1 - 1e-16], dtype=torch.float64)
    for top_p in (0.5, 1.0):
        assert drawing.draw(logits, ends, knobs([(1.0, 0, top_p, 0.0)] * 2)).tolist() == [3, 3]


def test_further_trials_have_numbers_of_their_own():
    first = torch.rand(20000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for trial in (1, 2, 3):
        more = drawing.fresh(first, trial)
        assert 0 <= float(more.min()) < 0.001
        assert 0.999 < float(more.max()) < 1
        assert abs(float(torch.corrcoef(torch.stack([first, more]))[0, 1])) < 0.03
