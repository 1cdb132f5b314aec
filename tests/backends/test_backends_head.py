"""The output head in blocks: the loss and gradient of plain cross-entropy, whatever the logits."""

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from poetune.backends.torch import head as heads  # noqa: E402

pytestmark = pytest.mark.torch


@given(
    st.integers(1, 9), st.sampled_from([1.0, 30.0, 3000.0]), st.booleans(), st.integers(0, 99), st.sampled_from([7, 64])
)
@settings(max_examples=40, deadline=None)
def test_blocks_of_the_vocabulary_give_the_whole_softmax(tokens, loud, bias, seed, columns):
    """Loud logits spill over (done again, safely) and leave most tokens below rounding (left out of the gradient)."""
    torch.manual_seed(seed)
    layer = nn.Linear(8, 150, bias=bias).requires_grad_(False)
    target = torch.randint(0, 150, (tokens,))
    hidden = (torch.randn(tokens, 8) * loud).requires_grad_()
    upstream = torch.rand(tokens)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(heads._COLUMNS, "cpu", columns)
        nats = heads.head_nats(layer, hidden, target)
        (nats * upstream).sum().backward()
    found, hidden.grad = hidden.grad, None
    plain = nn.functional.cross_entropy(layer(hidden).double(), target, reduction="none")
    (plain * upstream).sum().backward()
    assert torch.allclose(nats.double(), plain, rtol=1e-4, atol=1e-4)
    assert torch.allclose(found, hidden.grad, atol=2e-5)


def test_tokens_below_rounding_are_left_out_of_the_gradient():
    layer = nn.Linear(8, 4096 * 3, bias=False).requires_grad_(False)
    layer.weight[100:] = -20 * layer.weight[0]
    hidden = (3 * layer.weight[0] / layer.weight[0].norm() ** 2).repeat(5, 1).requires_grad_()
    thin = heads._Thin()
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "_Thin", lambda: thin)
        plain = torch.Tensor.addmm_
        patch.setattr(torch.Tensor, "addmm_", lambda self, a, b: seen.append(len(b)) or plain(self, a, b))
        heads.head_nats(layer, hidden, torch.zeros(5, dtype=torch.long)).sum().backward()
    assert seen
    assert sum(seen) <= 100
