from poetune.corpus.linebreaks import lost, mend

FUSED = (
    "Whose woods these are I think I knowHis house is in the village, though;He will not see me stopping hereTo watch "
    "his woods fill up with snowMcDonald kept what was not IThe horse, O'Brien's, shook"
)


def test_fused_lines_are_recognised_and_broken_but_names_are_not() -> None:
    assert lost(FUSED)
    mended = mend(FUSED).split("\n")
    assert mended[:3] == [
        "Whose woods these are I think I know",
        "His house is in the village, though;",
        "He will not see me stopping here",
    ]
    assert mended[-2:] == ["McDonald kept what was not I", "The horse, O'Brien's, shook"]


def test_written_marks_and_chinese_stops() -> None:
    assert mend("the first line of it<br/>the second<br>the third") == "the first line of it\nthe second\nthe third"
    assert mend(r"the first line of it all\nthe second") == "the first line of it all\nthe second"
    assert mend("the first line of it / the second / the third") == "the first line of it\nthe second\nthe third"
    line = "床前明月光，疑是地上霜。举头望明月，低头思故乡。“春眠不觉晓。”处处闻啼鸟。"
    assert mend(line) == "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n“春眠不觉晓。”\n处处闻啼鸟。"


def test_whole_verse_is_left_as_it_is() -> None:
    poem = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n\nMcBride and iPhone"
    assert mend(poem) == poem
    assert not lost(poem)
    assert not lost("A short single line.")
