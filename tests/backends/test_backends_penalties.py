import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from poetune.backends.poem import NGrams  # noqa: E402
from poetune.backends.torch.penalties import Repetition  # noqa: E402


@given(st.integers(1, 4), st.lists(st.integers(0, 3), max_size=30))
def test_banned_is_what_would_make_an_ngram_again(n, poem):
    grams = NGrams(n, poem[:5])
    for end in range(6, len(poem) + 1):
        grams.add(poem[:end])
    seen = {tuple(poem[i : i + n]) for i in range(len(poem) - n + 1)}
    again = {t for t in range(4) if len(poem) >= n - 1 and (*poem[len(poem) - n + 1 :], t)[-n:] in seen}
    assert grams.banned(poem) == again


def test_what_was_said_weighs_less_and_line_breaks_are_spared():
    logits = torch.tensor([[2.0, -2.0, 2.0, 1.0], [2.0, -2.0, 2.0, 1.0]])
    penalty = Repetition([[0, 1], [2]], [2.0, 1.0], [2, 3], torch.device("cpu"))
    penalty.add(torch.tensor([2, 0]))
    penalty.apply(logits)
    assert logits.tolist() == [[1.0, -4.0, 2.0, 1.0], [2.0, -2.0, 2.0, 1.0]]
