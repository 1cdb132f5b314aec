import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.ports import Score
from poetune.records import Candidate, Poem, Prompt, Sampling
from poetune.score.copying import HELD_OUT, copying, copying_text
from poetune.score.distances import delta, divergence, wasserstein
from poetune.score.losses import loss_row, losses_text
from poetune.score.pairs import choose, pairs
from poetune.score.voice import voice
from poetune.verse.diversity import distinct_at
from poetune.verse.overlap import distinct

SMALL = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=8)


def written(key, prompt, text, model="m", seed=0):
    return Candidate(key, model, prompt.id, Sampling(), seed, text, "", "eos", 5)


def test_loss_is_summed_over_tokens_not_averaged_over_texts():
    row = loss_row("base", "test", [Score(-90.0, 30), Score(-1.0, 1)], [100, 4])
    assert row.loss == pytest.approx(91 / 31)
    assert row.perplexity == pytest.approx(math.exp(91 / 31))
    assert row.bits_per_byte == pytest.approx(91 / math.log(2) / 104)
    assert loss_row("base", "test", [], []) is None
    assert "2.935" in losses_text([row]).splitlines()[1]


@given(st.dictionaries(st.text(max_size=3), st.integers(-3, 3).map(float), max_size=14), st.integers(1, 4))
def test_bands_share_out_what_there_is(values, each):
    bands = choose(values, each)
    by = {band: [values[k] for k, b in bands if b == band] for band in ("good", "typical", "poor")}
    assert len({key for key, _ in bands}) == len(bands) == min(len(values), 3 * each)
    order = by["good"] + by["typical"] + by["poor"]
    assert order == sorted(order, reverse=True)


def test_pairs_need_the_same_prompt_and_seed():
    rain, snow = Prompt("rain"), Prompt("snow")
    base = [written("b1", rain, "before"), written("b2", snow, "other seed", seed=1)]
    tuned = [written("t1", rain, "after", "t"), written("t2", snow, "alone", "t")]
    (pair,) = pairs(base, tuned, {p.id: p for p in (rain, snow)}, {"t1": 0.5, "t2": 0.9})
    assert (pair.base.text, pair.tuned.text, pair.theme, pair.value, pair.band) == (
        *("before", "after", "rain", 0.5),
        "good",
    )
    assert pairs(base, tuned, {})[0].band == "unrated"


def test_copies_are_counted_without_the_opening_that_was_given():
    opening = "床前明月光，"
    asked, free = Prompt("", opening=opening), Prompt("月")
    poem = Poem("床前明月光，疑是地上霜。\n举头望明月，低头思故乡。", "静夜思")
    made = [written("a", asked, opening + "窗外雨声长。"), written("b", free, "举头望明月，\n今夜不还乡。")]
    found = copying({"tuned": made}, [poem], [Poem("一二三四五，举头望明月。")], {p.id: p for p in (asked, free)})
    assert [(r.label, r.poems, r.lines, r.copied) for r in found.rows] == [("tuned", 2, 3, 1), (HELD_OUT, 1, 2, 1)]
    assert "33.3%" in copying_text(found)
    assert "举头望明月 - in 静夜思" in copying_text(found)
    (offence,) = found.worst
    assert (offence.candidate, offence.copied[0].source, offence.copied[0].line) == ("b", "静夜思", "举头望明月")


VALUES = np.arange(12.0)


def histogram(sample):
    return np.bincount(np.array(sample, int), minlength=12).astype(float)


@given(SMALL, SMALL, SMALL)
def test_wasserstein_is_a_distance(a, b, c):
    def between(x, y):
        return wasserstein(VALUES, histogram(x), histogram(y))

    assert between(a, a) == 0
    assert between(a, b) == pytest.approx(between(b, a))
    assert between(a, c) <= between(a, b) + between(b, c) + 1e-9
    assert between(a, [x + 2 for x in a]) == pytest.approx(2)


def test_delta_is_the_mean_difference_of_z_scores():
    spread = np.array([0.1, 0.2, 0.0, 9.0])  # of no spread, and the rest of the text: neither counts
    reference, other = np.array([5.0, 3, 1, 1]), np.array([30.0, 10, 40, 20])
    assert delta(spread, reference, other) == pytest.approx(((0.5 - 0.3) / 0.1 + (0.3 - 0.1) / 0.2) / 2)
    assert delta(spread, reference, np.zeros(4)) is None


def test_voice_sees_which_sample_is_nearer():
    draw = random.Random(1)
    words = [f"w{'abcdefghij'[i // 10]}{'abcdefghij'[i % 10]}" for i in range(100)]

    def text(width, height, pool):
        return "\n".join(" ".join(draw.choice(pool) for _ in range(width)) for _ in range(height))

    poet = [text(5, 8, words) for _ in range(20)]
    near, far = [text(5, 8, words) for _ in range(10)], [text(9, 3, words[:9]) for _ in range(10)]
    (table,) = voice(poet, {"near": near, "far": far, "none": ["山"]})
    assert (table.language, table.columns) == ("en", ("the poet", "near", "far", "none"))
    for row in table.rows:
        own, close, away, missing = row.values
        if row.kind == "distance":
            assert own <= close + 0.2
            assert close < away or row.figure in ("function words", "punctuation")  # neither has any
            assert missing is None
    variety = next(row.values for row in table.rows if row.figure == "variety")
    assert abs(variety[1] - variety[0]) < abs(variety[2] - variety[0])


def test_poems_like_the_poets_have_no_excess_and_others_do():
    draw = random.Random(3)
    words = ["w" + a + b for a in "abcdefghij" for b in "klmnopqrst"]

    def poem(pool):
        width = draw.choice((4, 5, 8))
        return "\n".join(" ".join(draw.choice(pool) for _ in range(width)) for _ in range(draw.choice((4, 6, 12))))

    poet, same = [poem(words) for _ in range(80)], [poem(words) for _ in range(60)]
    other = [poem(words[:20]) + "\nw w w w w w w w w w w w" * 12 for _ in range(60)]
    (table,) = voice(poet, {"same": same, "other": other})
    assert table.drawn == 40
    for row in (r for r in table.rows if r.figure in ("line length", "lines per poem", "vocabulary")):
        assert row.excess[0] is None
        low, high = row.band
        assert 0 < low < row.values[0] < high
        assert abs(row.excess[1]) < high - low
        assert row.excess[2] > 2 * (high - low)
    (again,) = voice(poet[::-1], {"same": same[::-1], "other": other})
    assert again == table


def test_a_chinese_line_is_what_stands_between_marks():
    couplets = [f"{'山' * n}，{'水' * n}。\n{'风' * n}，{'月' * n}。" for n in (5, 7) for _ in range(60)]
    apart = [text.replace("，", "，\n") for text in couplets]
    (table,) = voice(couplets, {"apart": apart, "twice": [text.replace("，", "") for text in couplets]})
    lengths = next(row for row in table.rows if row.figure == "line length")
    assert abs(lengths.excess[1]) < 0.2
    assert lengths.excess[2] > 4


def test_divergence_runs_from_none_to_all():
    assert divergence(np.array([2.0, 1, 0]), np.array([4.0, 2, 0])) == pytest.approx(0)
    assert divergence(np.array([2.0, 1, 0]), np.array([0.0, 0, 3])) == pytest.approx(1)


def test_marks_and_function_words_part_what_line_and_word_counts_do_not():
    draw = random.Random(4)
    nouns = [f"n{a}{b}" for a in "abcdefgh" for b in "klmnopqr"]

    def poem(small, mark):
        rows = (
            f"{draw.choice(small)} {draw.choice(nouns)} {draw.choice(small)} {draw.choice(nouns)}" for _ in range(8)
        )
        return f"{mark}\n".join(rows) + mark

    poet = [poem(["the", "of", "and"], ",") for _ in range(40)]
    samples = {
        "same": [poem(["the", "of", "and"], ",") for _ in range(30)],
        "marks": [poem(["the", "of", "and"], " —") for _ in range(30)],
        "words": [poem(["upon", "thy", "but"], ",") for _ in range(30)],
    }
    (table,) = voice(poet, samples)
    rows = {row.figure: row for row in table.rows}
    for figure, odd in (("punctuation", 2), ("function words", 3), ("Burrows's Delta", 3)):
        low, high = rows[figure].band
        assert rows[figure].values[odd] > 1.2 * high
        assert all(rows[figure].values[i] < high * 1.3 + 1e-9 for i in {1, 2, 3} - {odd}), (figure, low)


def test_too_few_poems_get_a_sentence_instead_of_figures():
    (table,) = voice(["one two\nthree four"] * 9, {"base": ["one two"] * 20})
    assert "9 poems in this language, too few" in table.said
    assert [row.figure for row in table.rows] == ["poems"]


def test_distinct_does_not_fall_because_there_is_more_text():
    draw = random.Random(2)
    texts = [" ".join(draw.choice("abcdefgh") + "x" for _ in range(20)) for _ in range(64)]
    few, many = distinct_at(texts[:8], 2, 100), distinct_at(texts, 2, 100)
    assert many == pytest.approx(few, abs=0.1)
    assert distinct(texts, 2) < 0.1 < many
    assert distinct_at(["one two"], 2, 30) is None
