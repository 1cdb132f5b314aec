import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.corpus.decoding import damaged, decode
from poetune.errors import CorpusError

ENGLISH = "Where’s the rose? “Gone,” she said —\nand the café’s dark…\nno light at all\n"
CHINESE = "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ENGLISH, "utf-8"),
        (ENGLISH, "utf-8-sig"),
        (ENGLISH, "utf-16"),
        (ENGLISH, "cp1252"),
        (ENGLISH, "mac_roman"),
        (CHINESE, "utf-8"),
        (CHINESE, "utf-16"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "gb18030"),
        ("床前明月光，疑是地上霜。\n舉頭望明月，低頭思故鄉。\n", "big5"),
    ],
)
def test_the_encoding_is_recognised(text: str, encoding: str) -> None:
    found = decode(text.encode(encoding))
    assert found.text == text
    assert found.bad == ()


def test_mac_roman_with_bare_carriage_returns() -> None:
    assert decode(ENGLISH.replace("\n", "\r").encode("mac_roman")).text == ENGLISH


def test_line_ends_become_newlines_and_blank_lines_stay() -> None:
    assert decode(b"a\r\n\r\nb\rc\r\r\nd").text == "a\n\nb\nc\nd"


def test_lines_of_several_encodings_are_each_read_rightly() -> None:
    data = CHINESE.encode() + CHINESE.encode("gb18030") + "月".encode("gb18030")
    found = decode(data)
    assert found.text == CHINESE + CHINESE + "月"
    assert found.found["GB18030"] == 3
    assert "GB18030" in found.note("a.txt")


def test_a_line_that_nothing_explains_is_refused_alone() -> None:
    found = decode("春天\n".encode() + b"\xe6\x98\xa5\xff\xfe\x81 \xc3\n" + "秋天".encode())
    good, bad, last = found.text.split("\n")
    assert (good, last, found.bad) == ("春天", "秋天", (2,))
    assert damaged(bad)


def test_a_named_encoding_is_obeyed_and_an_unknown_one_refused() -> None:
    assert decode("é".encode("mac_roman"), "mac_roman").text == "é"
    with pytest.raises(CorpusError, match="gb18030"):
        decode(b"a", "klingon")
    with pytest.raises(CorpusError, match="not known"):
        decode(b"a", "rot13")
    with pytest.raises(CorpusError, match="no text"):
        decode(b"\x00\x01\x02\x03" * 50)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\ufeff")))
def test_utf_8_comes_back_as_it_was(text: str) -> None:
    assert decode(text.encode()).text == text


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    try:
        found = decode(data)
    except CorpusError:
        return
    assert "\r" not in found.text
    assert bool(found.bad) <= damaged(found.text)
