import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.dataset import ThemeRow, propose_themes, read_themes_csv, write_themes_csv
from poetune.errors import RecipeError
from poetune.records import Poem


def _theme(poem: Poem, *others: Poem) -> tuple[str, str]:
    row = propose_themes([poem, *others])[0]
    return row.theme, row.how


def test_what_the_poem_says_of_itself_goes_first() -> None:
    text = "the kettle sings\nthe kettle stops"
    assert _theme(Poem(text, theme="tea", title="Kettle")) == ("tea", "theme")
    assert _theme(Poem(text, tags={"Topic": "tea"}, title="Kettle")) == ("tea", "tag")
    assert _theme(Poem(text, title="My Old Kettle")) == ("My Old Kettle", "title")
    assert _theme(Poem("壶\n水", title="《夜半松风》")) == ("夜半松风", "title")


@pytest.mark.parametrize("title", ["", "Untitled", "Sonnet 18", "XIV", "poem_003", "A title of far too many words"])
def test_otherwise_the_poems_own_words(title: str) -> None:
    others = [Poem("the window and the rain"), Poem("the window and the sea"), Poem("a kettle")]
    assert _theme(Poem("the kettle sings to the window\nand the kettle stops", title=title), *others) == (
        "kettle",
        "words",
    )


def test_chinese_words_are_pairs_that_other_poems_know() -> None:
    poems = [
        Poem("我看见月光在窗上\n的的确确"),
        Poem("月光落在水里"),
        Poem("雪落在山里"),
        Poem("水在石头下"),
        Poem("山外有人家"),
    ]
    assert _theme(*poems) == ("月光", "words")


def test_without_any_such_word_the_first_ones_stand() -> None:
    assert _theme(Poem("It is what it was\nand so")) == ("it is what", "first words")


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT.map(str.strip)), max_size=5))
def test_the_csv_comes_back(cells: list[tuple[str, str, str]]) -> None:
    rows = [ThemeRow(f"{i:016x}", title, first, theme, "words") for i, (title, first, theme) in enumerate(cells)]
    assert read_themes_csv(write_themes_csv(rows)) == {row.poem: row.theme for row in rows if row.theme}


def test_what_spreadsheets_do_to_it() -> None:
    text = "poem;title;theme\r\nabc;x;河\r\nabd;y;\r\n"
    assert read_themes_csv(text.encode("gb18030")) == {"abc": "河"}
    assert read_themes_csv(text.encode("utf-8-sig")) == {"abc": "河"}
    assert (
        write_themes_csv([ThemeRow("abc", "=1+1", "- dash", "x", "title")]).split("\n")[1]
        == "abc,'=1+1,'- dash,x,title"
    )


def test_wrong_files_are_refused() -> None:
    with pytest.raises(RecipeError, match="columns"):
        read_themes_csv("a,b\n1,2\n")
    with pytest.raises(RecipeError, match="twice"):
        read_themes_csv("poem,theme\na,x\na,y\n")
