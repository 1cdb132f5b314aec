"""Twins and copied passages."""

from hypothesis import given
from hypothesis import strategies as st

from poetune.verse.grams import GramIndex, Run
from poetune.verse.lines import units
from poetune.verse.twins import Twin, TwinIndex, twins

SONNET = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:"
MOON = "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。"
WORDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=30)


def test_twins_exact_and_near() -> None:
    near = MOON.replace("举头望明月", "举头望山月")
    assert twins([SONNET, MOON, SONNET.upper(), near]) == [(0, 2, 1.0), (1, 3, 0.75)]


def test_a_poem_is_found_again_with_a_word_changed_in_every_line() -> None:
    index = TwinIndex({"m": MOON})
    index.add("s", SONNET)
    assert index.nearest("SHALL I compare thee to a summer's day -\nThou art more lovely and more temperate") == Twin(
        "s", 1.0
    )
    changed = "Shall we compare thee to a summer's day?\nYou art more lovely and more temperate:"
    assert index.nearest(changed) == Twin("s", 0.5)
    assert index.nearest("Nine tons went north.") is None


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_whoever_is_in_the_index_is_its_own_twin(words: list[list[str]]) -> None:
    texts = {str(i): " ".join(found) for i, found in enumerate(words)}
    index = TwinIndex(texts)
    for text in texts.values():
        found = index.nearest(text)
        assert found is not None
        assert (found.share, texts[found.key]) == (1.0, text)


def test_a_passage_is_copied_however_its_lines_are_broken() -> None:
    index = GramIndex({"s": SONNET, "m": MOON})
    text = "I think: thou art\nmore lovely and more\ntired than the moon"
    assert index.runs(text) == [
        Run("thou art more lovely and more", "s", "Thou art more lovely and more temperate:", 6)
    ]
    assert index.share(text) == 2 / 8
    assert [run.original for run in index.runs("举头望明月低头")] == ["举头望明月，低头思故乡。"]
    assert (index.share("Thou art more"), index.runs("Thou art more")) == (0.0, [])


@given(WORDS, WORDS)
def test_runs_stand_in_text_and_source(words: list[str], others: list[str]) -> None:
    text, index = " ".join(words), GramIndex({"o": " ".join(others)}, n=3)
    runs = index.runs(text)
    assert bool(runs) == (index.share(text) > 0)
    for run in runs:
        assert f" {run.text} " in f" {text} "
        assert f" {run.text} " in f" {' '.join(others)} "
        assert run.units == len(units(run.text)) >= 3
