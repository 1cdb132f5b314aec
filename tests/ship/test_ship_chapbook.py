"""The chapbook: every line of every poem is there, foreign text stays text, and paper gets a page a poem."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from poetune.ship.chapbook import Chapbook, as_html, as_markdown

BOOK = Chapbook(
    "The Keeper & Co",
    "A. Person",
    [
        ("Rain", "The plate is wet.\n  An indented line\n\n- a dash begins\n1. a number\n# no heading"),
        ("", "雪落在石阶上，\n无人扫。"),
        ("<b>Bold</b>", "a <script>alert(1)</script> line"),
    ],
    ["3 poems.", "Made with poetune."],
)


def test_markdown_breaks_where_the_poem_does_and_reads_no_mark_in_it():
    text = as_markdown(BOOK)
    assert (
        "The plate is wet.  \n\u00a0\u00a0An indented line\n\n\\- a dash begins  \n1\\. a number  \n\\# no heading"
        in text
    )
    assert "## \\*\n\n雪落在石阶上，  \n无人扫。" in text
    assert "<script>" not in text
    assert text.endswith("Made with poetune.\n")


def test_the_page_stands_alone_and_prints_a_poem_a_page():
    page = as_html(BOOK)
    assert "<script" not in page
    assert "http" not in page
    assert page.count("<article") == 3
    assert '<article id="p2" lang="zh">' in page
    assert "size: A5" in page
    assert "break-before: page" in page


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=40), max_size=4))
def test_no_line_is_lost(texts):
    page = as_html(Chapbook("B", "", [("t", text) for text in texts]))
    shown = [html.unescape(line) for line in re.findall(r'<span class="line">(.*?)</span>', page, re.S)]
    assert shown == [line.rstrip() for text in texts for line in text.strip("\n").split("\n") if line.strip()]
