import pytest

from poetune.errors import JudgeError
from poetune.judge.offline import DESCRIPTION, Draft, Features, OfflineCritic, features, worth
from poetune.ports import Block, Judge, Score
from poetune.verse.overlap import LineIndex
from poetune.verse.usual import usual

ENGLISH = [
    "The harbour lamp burns low tonight\nand every rope is still"
    "\na gull walks up the empty quay\nthe fog comes down the hill",
    "I left my coat upon the chair\nthe door was open wide\na kettle talked of going home\nwhile rain went by outside",
]
CHINESE = ["河水在夜里变轻\n石头记得脚步\n月亮不肯上岸", "旧窗子里的灯\n照着空椅子\n风把门推开一半"]
INDEX = LineIndex({str(i): text for i, text in enumerate(ENGLISH + CHINESE)})
CORPUS = usual(ENGLISH + CHINESE)
GOOD = "A bell is under all the snow\nthe road has lost its name\nsomebody lit a match\nand gave the dark its flame"


def critic(**drafts):
    made = [d if isinstance(d, Draft) else Draft(key, d, "eos") for key, d in drafts.items()]
    return OfflineCritic(features(made, INDEX, CORPUS))


def ranking(judge, *ids):
    return judge.rank(Block(ids, ("",) * len(ids), ("",) * len(ids)), "modern-free-verse.v1").ranking


FAULTY = {
    "copied": ENGLISH[0],
    "looping": "the rain the rain the rain the rain\n" * 4,
    "saying it twice": "\n".join(GOOD.split("\n")[:2] * 2),
    "one_line": "A bell is under all the snow",
    "empty": "",
    "prose": " ".join(GOOD.split()) * 3,
    "garbage": GOOD.replace("e", "\ufffd"),
    "mixed": GOOD.replace("the", "яблоко"),
    "markup": GOOD + "\n<|im_end|><|im_end|>",
    "digits": "1 2 3 4 5 6 7\n8 9 10 11 12 13\n14 15 16\n17 18",
    "words": "bell\nsnow\nroad\nname",
}


@pytest.mark.parametrize("fault", FAULTY)
@pytest.mark.parametrize("good", [GOOD, "雪落在没有名字的路上\n一口钟在下面\n有人划亮火柴"])
def test_each_fault_ranks_below_a_sound_poem(fault, good):
    judge = critic(good=good, bad=FAULTY[fault])
    assert ranking(judge, "bad", "good") == ranking(judge, "good", "bad") == ("good", "bad")


def test_unfinished_ranks_below_finished():
    judge = critic(a=Draft("a", GOOD, "length"), b=Draft("b", GOOD, "eos"))
    assert ranking(judge, "a", "b") == ("b", "a")
    assert "unfinished" in judge.explain("a")


def test_likelihood_gain_counts_but_learning_by_heart_cannot_win():
    def scored(key, text, gain):
        return Draft(key, text, "eos", Score(-30.0, 20), Score(-30.0 - 20 * gain, 20))

    judge = critic(
        some=scored("some", GOOD, 0.6),
        none=scored("none", GOOD.replace("bell", "wall"), 0.0),
        heart=scored("heart", ENGLISH[1], 9.0),
    )
    assert ranking(judge, "heart", "none", "some") == ("some", "none", "heart")
    assert "gain +0.60 nats/token" in judge.explain("some")


def test_the_likelier_of_two_sound_poems_ranks_first_and_a_loop_gains_nothing_by_it():
    other = GOOD.replace("snow", "rain").replace("match", "bell")
    judge = critic(
        a=Draft("a", GOOD, "eos", Score(-80, 30), Score(-90, 30)),
        b=Draft("b", other, "eos", Score(-110, 30), Score(-120, 30)),
        c=Draft("c", "the rain the rain the rain the rain\n" * 4, "eos", Score(-5, 30), Score(-15, 30)),
    )
    assert ranking(judge, "b", "c", "a") == ("a", "b", "c")
    assert "fluency -1.00" in judge.explain("b")


def test_it_is_a_judge_that_says_what_it_is_and_never_favours_a_slot():
    judge = critic(a=GOOD, b=GOOD)
    assert isinstance(judge, Judge)
    assert judge.name == "offline critic v1"
    assert "does not read" in DESCRIPTION
    assert ranking(judge, "a", "b") == ranking(judge, "b", "a")
    assert "gain not measured" in judge.explain("a")
    with pytest.raises(JudgeError, match="no features"):
        judge.explain("unknown")


def test_the_corpus_itself_has_no_faults_but_being_copied():
    found = features([Draft(str(i), t, "eos") for i, t in enumerate(ENGLISH + CHINESE)], INDEX, CORPUS)
    for counted in found.values():
        assert (counted.foreign_share, counted.copied_share, counted.length_fit) == (0.0, 1.0, 1.0)
        assert counted.repetition == 0.0


def test_one_line_is_no_poem_however_well_it_fits():
    line, poem = (Features(0.0, fit, 0.0, 0.0, gain, True, n) for fit, gain, n in [(1.0, 1.0, 1), (0.5, 0.0, 2)])
    assert worth(line) < worth(poem)
