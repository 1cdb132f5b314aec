from hypothesis import given
from hypothesis import strategies as st

from poetune.corpus.splitting import split, suggested, titled

STANZAS = "First line here\nsecond line\n\nthird line\nfourth line\n"


def test_one_poem_with_stanzas_is_left_alone() -> None:
    assert suggested(STANZAS) == ""
    assert suggested(STANZAS + "\n***\n\nan end") == ""


def test_rulers_headings_and_double_blank_lines_are_recognised() -> None:
    assert suggested(f"{STANZAS}\n---\n{STANZAS}\n---\n{STANZAS}") == "---"
    assert suggested(f"# One\n{STANZAS}\n# Two\n{STANZAS}") == "#"
    assert suggested(f"{STANZAS}\n\n{STANZAS}\n\n{STANZAS}") == "blank2"
    uneven = ["\n".join(f"line {i}" for i in range(5 + (n * 7) % 11)) for n in range(20)]
    assert suggested("\n\n".join(uneven)) == "blank"
    assert suggested("\n\n".join(["a\nlong\npoem\nof even\nstanzas\nof six"] * 20)) == ""


def test_splits_keep_the_stanzas() -> None:
    assert split(f"{STANZAS}\n* * *\n{STANZAS}", "* * *") == [STANZAS.strip("\n")] * 2
    assert split("# A\nx\n# B\ny", "#") == ["# A\nx", "# B\ny"]
    assert len(split(f"{STANZAS}\n\n\n{STANZAS}", "blank2")) == 2


@given(st.lists(st.text("ab \n", min_size=1).map(lambda t: f"x{t}y"), min_size=1, max_size=5))
def test_a_separator_gives_back_what_was_joined(parts: list[str]) -> None:
    assert split("\n%%%\n".join(parts), "%%%") == parts


def test_titles() -> None:
    assert titled("# The Sea\n\nwide\nand cold") == ("The Sea", "wide\nand cold")
    assert titled("《夜》\n月光\n落下") == ("夜", "月光\n落下")
    assert titled("The Sea\n\nwide\nand cold") == ("The Sea", "wide\nand cold")
    assert titled("The sea, again,\n\nwide\nand cold")[0] == ""
    assert titled("a line\n\nspaced\n\nout")[0] == ""
    assert titled("only")[0] == ""
