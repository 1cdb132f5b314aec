from hypothesis import given
from hypothesis import strategies as st

from poetune.backends.endings import continuation, cut_lines, full_lines
from poetune.backends.ngrams import BOS, EOS, Ngrams, continues, startable


@given(st.lists(st.text(max_size=20), max_size=4), st.text(max_size=8))
def test_probabilities_add_up_and_agree_with_the_likelihood(texts, context):
    model = Ngrams(order=3)
    for text in texts:
        model.add([BOS, *text.encode(), EOS], 1)
    before = [BOS, *context.encode()]
    p = model.probabilities(before)
    assert abs(sum(p) - 1) < 1e-9
    assert p[BOS] == 0
    import math

    assert abs(model.log_likelihood([*before, EOS], len(before)) - math.log(p[EOS])) < 1e-9


@given(st.text(min_size=1, max_size=6))
def test_every_text_may_be_written_byte_by_byte(text):
    data = text.encode("utf-8", "ignore")
    for i, byte in enumerate(data):
        span = continues(list(data[:i]))
        assert span[0] <= byte <= span[1] if span else startable(byte)


@given(st.lists(st.sampled_from(["a line", "", "  ", "另一行"]), max_size=8), st.integers(1, 4))
def test_lines_are_counted_as_they_are_cut(lines, most):
    text = "\n".join(lines) + "\n"
    cut = cut_lines(text, most)
    assert text.startswith(cut)
    assert full_lines(cut + "\n") == min(most, full_lines(text))


def test_a_continuation_joins_its_prefix():
    assert continuation("\n \nA line\n  more \n\n", "") == "A line\n  more"
    assert continuation(" The rain", "") == "The rain"
    assert continuation("The rain\ncame", "The rain") == "\ncame"
