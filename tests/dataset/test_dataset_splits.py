import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.dataset.splits import assign, place, split_of
from poetune.records import Poem

SHARES = st.sampled_from(
    [(80.0, 10.0, 10.0), (80.0, 20.0, 0.0), (80.0, 5.0, 15.0), (100.0, 0.0, 0.0), (50.0, 30.0, 20.0)]
)


def _poems(count: int) -> list[Poem]:
    return [
        Poem(f"poem number {'x' * (i % 7)}{chr(97 + i // 26 % 26)}{chr(97 + i % 26)} of rain\nline {i * 'q'}")
        for i in range(count)
    ]


def test_the_hash_is_what_it_has_always_been() -> None:
    assert place("床前明月光，疑是地上霜。") == pytest.approx(PLACE_ZH)
    assert place("Whose woods these are\nI think I know") == pytest.approx(PLACE_EN)


PLACE_ZH, PLACE_EN = 13.303304085361725, 32.422357923080305


def test_case_spacing_and_punctuation_do_not_move_a_poem() -> None:
    assert place("The rose,\nthe thorn") == place("the ROSE the  thorn!")


@given(st.text(min_size=1), SHARES)
def test_a_larger_train_share_keeps_what_was_train(text: str, shares: tuple[float, float, float]) -> None:
    if split_of(text, shares) == "train":
        assert split_of(text, (100.0, 0.0, 0.0)) == "train"
        rest = 100 - min(shares[0] + 5, 100)
        assert split_of(text, (100 - rest, rest, 0.0)) == "train"


def test_the_shares_are_met() -> None:
    splits, _ = assign(_poems(2000), (80, 5, 15))
    assert splits.count("train") / 2000 == pytest.approx(0.80, abs=0.03)
    assert splits.count("validation") / 2000 == pytest.approx(0.05, abs=0.02)


@given(st.integers(1, 40), SHARES)
def test_train_is_never_empty_and_validation_only_where_it_cannot_be(
    count: int, shares: tuple[float, float, float]
) -> None:
    poems = _poems(count)
    splits, notes = assign(poems, shares)
    assert "train" in splits
    if shares[1] == 0:
        assert "validation" not in splits
    elif "validation" not in splits:
        assert count < 5
        assert any("no poem is held out" in note for note in notes)
    assert assign(poems, shares)[0] == splits


def test_what_came_back_is_train() -> None:
    held = next(p for p in _poems(200) if split_of(p.text, (50, 50, 0)) == "validation")
    back = Poem(held.text, parent="candidate")
    assert assign([back], (50, 50, 0))[0] == ["train"]


def test_near_twins_never_stand_on_both_sides() -> None:
    lines = ["red leaf falls", "grey rain comes", "the door is shut"]
    words = ("song", "dust", "ash", "salt", "tin", "wool")
    family = [Poem("\n".join([*lines, f"and {word} ends it"])) for word in words]
    alone = [split_of(p.text, (50, 25, 25)) for p in family]
    assert len(set(alone)) > 1
    splits, notes = assign([*_poems(30), *family], (50, 25, 25))
    assert set(splits[30:]) == {"train"}
    assert any("near twin" in note for note in notes)
