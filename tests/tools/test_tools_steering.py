"""Steering is measured on the same tokens under both prompts, and a word that tells nothing gains nothing."""

import warnings

import pytest

POEMS = [
    {
        "lang": "en",
        "text": f"{word} is the first line,\n\nand {word} is the last.",
        "title": word,
        "author": name,
        "keys": [word],
        "poems_by_author": poems,
    }
    for word, name, poems in (
        ("salt", "Ann", 100),
        ("river", "Ben", 100),
        ("lamp", "Cid", 99),
        ("stone", "Unknown", 999),
    )
]


@pytest.mark.torch
def test_own_and_other_are_measured_on_the_same_tokens() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import AutoTokenizer

        from poetune.studio.starter import base_folder
        from tools.starter.steering import HANDLES, chat, pairs

        tokenizer = AutoTokenizer.from_pretrained(base_folder())
    for handle in HANDLES:
        cases = pairs(POEMS, handle)
        assert len(cases) == {"author": 3, "taught_author": 2}.get(handle.name, 4)
        for row, own, other in cases:
            assert own != other
            counted = [
                given.ids[given.first :] for given in (chat(tokenizer, handle, row, word) for word in (own, other))
            ]
            assert counted[0] == counted[1]
            shown = tokenizer.decode(counted[0])
            assert (row["text"].split("\n")[0] in shown) == (handle.name != "first_line")
            assert shown.endswith(tokenizer.eos_token)


@pytest.mark.torch
def test_gains_come_with_intervals() -> None:
    from tools.starter.steering import summary

    told = summary([10.0] * 90 + [12.0] * 10, [11.0] * 100, [10] * 100)
    assert told["gain"] == pytest.approx(0.08)
    assert told["gain_low"] < 0.08 < told["gain_high"] < 0.1
    assert told["better"] == 0.9
    assert 0.82 < told["better_low"] < 0.9 < told["better_high"] < 0.95
    even = summary([10.0, 11.0] * 50, [11.0, 10.0] * 50, [10] * 100)
    assert even["gain_low"] < 0 < even["gain_high"]
    assert even["better_low"] < 0.5 < even["better_high"]
