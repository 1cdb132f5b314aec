"""Talk about the poem, and the script it is in."""

import pytest

from poetune.verse.script import traditional
from poetune.verse.talk import talk


@pytest.mark.parametrize(
    "line",
    [
        "Here is a poem about rain:",
        "Sure! Here's a short haiku for you:",
        "Sure, I'll write one.",
        "Certainly!",
        "I'm sorry, but I can't write that.",
        "I cannot write a poem about this.",
        "As an AI language model, I have no rain.",
        "Poem: Rain",
        "I hope you enjoy this poem!",
        "Let me know if you'd like any changes.",
        "This poem explores the theme of loss.",
        "**Here are four lines about snow:**",
        "好的，以下是一首关于雨的诗：",
        "当然可以！",
        "以下是我的创作：",
        "很抱歉，我无法写这首诗。",
        "作为一个人工智能，我没有感情。",
        "这首诗表达了诗人的思乡之情。",
        "希望您喜欢这首诗。",
        "【赏析】：此诗清新",
    ],
)
def test_an_assistant_is_heard_before_and_after_the_poem(line: str) -> None:
    plain = line.strip()
    assert talk(f"{line}\n\nNine tons went north.\nNine came back.") == plain
    assert talk(f"Nine tons went north.\nNine came back.\n\n{line}") == plain
    assert talk("Nine tons went north.\n" * 3 + line + "\n" + "Nine came back.\n" * 3) == ""


def test_a_chat_s_marks_count_wherever_they_stand() -> None:
    poem = "one\ntwo\nthree\nfour\n"
    for mark in ("<|im_end|>", "```", "User: more", "[/INST]", "用户：再写一首"):
        assert talk(f"{poem}{mark}\n{poem}") == mark


@pytest.mark.parametrize(
    "line",
    [
        "I cannot write, my tears are flowing fast,",
        "Here is the rain again, here is the lamp.",
        "Sure as the grave, the beam comes down.",
        "Of course, he said, of course the scale was wrong",
        "This is the night mail crossing the border",
        "Sorry I could not travel both",
        "I hope you know the way.",
        "好雨知时节，当春乃发生。",
        "当然这是夜里的事",
        "对不起，我走得太晚",
        "这首歌唱到天明",
    ],
)
def test_a_poem_that_sounds_like_it_is_left_alone(line: str) -> None:
    assert talk(f"{line}\nNine tons went north.\n{line}") == ""


def test_scripts_are_told_apart() -> None:
    assert traditional("夢裡花開，風來聽雨") == 1.0
    assert traditional("梦里花开，风来听雨") == 0.0
    assert traditional("明月松間照") is None
