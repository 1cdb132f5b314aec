"""The gates, each with a poem that it holds back and one that it lets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.generate.gates import Gatekeeper
from poetune.generate.tally import sentence, summed, tally
from poetune.recipe.gates import Gates
from poetune.records import Candidate, Model, Poem, Prompt, Sampling

CORPUS = [
    Poem("The plate is wet, and the scale says sixty.\nNobody stands there in the rain.\nCome forward, driver.", "Wet"),
    Poem("Nine tons went north on the old road.\nNine came back by the end of April.\nTurn the page.", "Salt"),
    Poem("The dog sleeps on the plate of the scale.\nForty pounds, and he says nothing.\nMind him, driver.", "Dog"),
    Poem("Her coat is on the nail by the door.\nIt weighs what it weighed in the spring.\nFour pounds.", "Coat"),
]
GOOD = "The lamp is on the sill in the rain.\nA moth went round it and the night came on.\nPut it out."
OTHER = "Snow on the wires and the crossing closed.\nThe old gate hung from one hinge.\nNo one came."


def candidate(text: str, key: str = "c", stop: str = "eos", gate: str = "", **more: str) -> Candidate:
    return Candidate(key, more.get("model", "m"), more.get("prompt", "p"), Sampling(), 0, text, "t", stop, 9, 1, gate)


@pytest.fixture
def keeper() -> Gatekeeper:
    return Gatekeeper(Gates(), CORPUS)


@pytest.mark.parametrize(
    ("gate", "text", "reason"),
    [
        ("empty", " \n …", "no word"),
        ("talk", f"Here is a poem about the rain:\n{GOOD}", "talks about the poem: Here is a poem"),
        ("language", "床前明月光，疑是地上霜。", "not in English"),
        ("language", "дождь идёт и the rain is дождь\nand дождь", "characters are not of the corpus's language"),
        ("loop", "\n".join(["The rain is on the road."] * 6), "said before"),
        ("prose", f"{GOOD} {OTHER} {GOOD}".replace("\n", " "), "towards prose"),
        ("copied", "A lamp in the rain.\nforty pounds - and he says nothing!\nPut it out.", "as in Dog: Forty pounds"),
        ("copied", "The scale\nsays sixty nobody stands\nthere in the rain", "word for word, as in Wet: The plate"),
        ("unfinished", GOOD.removesuffix(" it out.") + ",", "its last line is not finished: Put,"),
    ],
)
def test_each_gate_holds_back_and_says_why(keeper: Gatekeeper, gate: str, text: str, reason: str) -> None:
    found, said = keeper.look(candidate(text))
    assert (found, reason in said) == (gate, True), said
    assert "\n" not in said
    others = [name for name in Gates().use if name != gate]
    assert Gatekeeper(Gates(use=others), CORPUS).look(candidate(text))[0] != gate
    assert Gatekeeper(Gates(use=[]), CORPUS).look(candidate(text)) == ("", "")


def test_a_poem_cut_at_the_limit_passes_only_where_its_sentence_ended(keeper: Gatekeeper) -> None:
    assert keeper.look(candidate(GOOD, "a", "length")) == ("", "")
    assert keeper.look(candidate(OTHER.removesuffix("."), "b", "length"))[0] == "unfinished"
    assert keeper.look(candidate(OTHER.removesuffix("."), "b", "eos")) == ("", "")
    assert keeper.look(candidate(OTHER, "d", "error"))[0] == "empty"


def test_twins_are_of_poems_that_passed_and_the_first_stays(keeper: Gatekeeper) -> None:
    assert keeper.look(candidate(GOOD + ",", "held"))[0] == "unfinished"
    assert keeper.look(candidate(GOOD, "first")) == ("", "")
    assert keeper.look(candidate(GOOD.upper(), "second")) == ("twin", "it is the same as the candidate first")
    near = GOOD.replace("Put it out", "Blow it out")
    assert keeper.look(candidate(near, "third"))[0] == "twin"
    assert keeper.look(candidate(OTHER, "fourth")) == ("", "")


def test_an_opening_that_the_prompt_gave_is_not_copied(keeper: Gatekeeper) -> None:
    opening = CORPUS[0].text + "\n"
    assert keeper.look(candidate(opening + GOOD, "a"), opening) == ("", "")
    assert keeper.look(candidate(opening + OTHER, "b"))[0] == "copied"


def test_scripts_of_chinese() -> None:
    chinese = Gatekeeper(Gates(), [Poem("风来了，门开着。\n我听见雨声。"), Poem("梦里的灯还亮着。\n谁在远处？")])
    assert chinese.look(candidate("燈還亮著，風來了。\n誰在門邊聽雨？"))[0] == "language"
    assert chinese.look(candidate("灯还亮着，风走了。\n谁在门边听雨？")) == ("", "")


def test_a_corpus_of_nothing_gates_nothing_it_cannot_know() -> None:
    empty = Gatekeeper(Gates(), [])
    assert empty.look(candidate(GOOD)) == ("", "")
    assert empty.look(candidate("明月"))[0] == ""


@given(st.lists(st.sampled_from([GOOD, OTHER, GOOD.upper(), "rain, rain", CORPUS[1].text, ""]), max_size=8))
def test_looking_again_in_the_same_order_finds_the_same(texts: list[str]) -> None:
    poems = [candidate(text, str(i)) for i, text in enumerate(texts)]
    first, again = Gatekeeper(Gates(), CORPUS), Gatekeeper(Gates(), CORPUS)
    assert [first.look(poem) for poem in poems] == [again.look(poem) for poem in poems]


def test_a_tally_by_model_and_template() -> None:
    models = {"b": Model("base", "echo", "s", name="base"), "m": Model("base", "echo", "s", name="step 1")}
    prompts = {"p": Prompt("rain"), "q": Prompt("rain", "airy.v1")}
    poems = [
        candidate("", "1", gate="copied"),
        candidate("", "2"),
        candidate("", "3", gate="loop", prompt="q"),
        candidate("", "4", model="b"),
        candidate("", "5", gate="copied"),
        candidate("", "6", model="gone"),
    ]
    rows = tally(poems, models, prompts)
    assert [(r.model, r.template, r.written, r.passed, r.gates) for r in rows] == [
        ("base", "plain.v1", 1, 1, {}),
        ("step 1", "airy.v1", 1, 0, {"loop": 1}),
        ("step 1", "plain.v1", 3, 1, {"copied": 2}),
    ]
    assert sentence(summed(rows)) == "3 held back (2 copied, 1 loop)"
    assert sentence({}) == "none held back"
