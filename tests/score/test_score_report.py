import csv
import io
import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from poetune.score.axes import ticks
from poetune.score.chart import Chart, Line, chart
from poetune.score.contents import (
    CopiedLine,
    Copying,
    CopyRow,
    Cost,
    Link,
    LossRow,
    Offence,
    Pair,
    Point,
    Printed,
    Report,
    Training,
    VoiceRow,
    VoiceTable,
)
from poetune.score.curves import curve
from poetune.score.dots import dots
from poetune.score.figures import figures_csv
from poetune.score.report import report
from poetune.score.sheet import Column, Sheet
from poetune.score.typeset import body

EVIL = '<script src="http://x.y/">"&\'</script>'
VOID = {"meta", "br", "line", "circle", "polyline", "rect"}


class Checked(HTMLParser):
    """Fails where tags do not nest, where an element would load something, or where text became a tag."""

    def __init__(self):
        super().__init__()
        self.open, self.words, self.tags = [], [], set()

    def handle_starttag(self, tag, attrs):
        assert tag not in {"script", "link", "img", "iframe", "object", "form"}
        assert not any(name.startswith("on") or name == "src" for name, _ in attrs)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def full(text=EVIL):
    poem = Printed(text, text, text)
    return Report(
        title=text,
        poet=text,
        about=(text,),
        made=text,
        best=(poem, Printed("山月\n\n照人", "", "")),
        judged_by=text,
        pairs=(Pair(text, text, 1, poem, Printed(""), "good", -0.5),),
        typical=(Printed("a", "b", "c"),),
        worst=(Printed("d", "e", "f"),),
        trainings=(Training(text, (Point(1, 3.0), Point(2, 2.5, 2.75)), ((1, 0.5), (2, 0.25))),),
        sheets=(
            Sheet(
                *("contestants", "Contestants", text),
                (Column("copied", text, "tenth"), Column("judge", text, "share")),
                ((text, (0.125, (0.5, 0.25, 0.75))), ("b", (None, None))),
                (Chart(text, text, text, (Line(text, ((0, 0.1), (10, 0.4))), Line("b", ((0, 0.2),))), (0, 0.1), text),),
                (text,),
            ),
        ),
        losses=(LossRow(text, text, 1, 2, 3, 2.5, math.inf, 1.5),),
        voice=(VoiceTable("zh", ("the poet", text), (VoiceRow(text, text, "distance", (0.5, None)),)),),
        copying=Copying((CopyRow(text, 1, 4, 1),), (Offence(text, "c", text, 4, (CopiedLine(text, text),)),)),
        lineage=(Link(text, text, text),),
        costs=(Cost(text, 134, "s"),),
        notes=(text,),
    )


def test_every_text_is_escaped_and_nothing_is_loaded():
    page = report(full())
    seen = Checked()
    seen.feed(page)
    assert seen.open == []
    assert "http://x.y/" not in re.sub(r"&lt;script src=&quot;http://x\.y/&quot;", "", page)
    assert "".join(seen.words).count(EVIL) >= 15
    assert "2 min 14 s" in page
    assert 'lang="zh"' in page
    assert "rating −0.50" in page


def test_empty_parts_are_left_out():
    page = report(Report("A"))
    assert "<section" not in page
    assert "<nav" not in page
    assert figures_csv(Report("A")).count("\n") == 1


@given(st.text(st.sampled_from("ab \n<&　。"), max_size=30))
def test_typesetting_keeps_lines_and_stanza_breaks(text):
    seen = re.findall(r'<span class="line(?: gap)?">(.*?)</span>', body(text))
    wanted = [line.rstrip() for line in text.rstrip().lstrip("\n").split("\n")]
    assert [s.replace("&lt;", "<").replace("&amp;", "&") for s in seen] == wanted


def test_the_curve_marks_the_lowest_validation_loss_and_stays_in_its_frame():
    points = [Point(s, 4 - s / 100, 3 + (s - 120) ** 2 / 1e4 if s % 40 == 0 else None) for s in range(20, 201, 20)]
    for width in (640, 360):
        drawn = ElementTree.fromstring(curve([*points, Point(210, math.nan)], width))
        space = "{http://www.w3.org/2000/svg}"
        assert "best 3.000 at step 120" in [t.text for t in drawn.iter(f"{space}text")]
        lines = [p.get("points") for p in drawn.iter(f"{space}polyline")]
        assert len(lines) == 2
        for x, y in (map(float, pair.split(",")) for line in lines for pair in line.split()):
            assert 0 <= x <= width
            assert 0 <= y <= 300
    assert curve([]) == ""
    assert "<circle" in curve([Point(0, 1.0, 1.0)])


@given(st.floats(-50, 50), st.floats(0, 100), st.booleans())
def test_ticks_enclose_the_values_evenly(low, span, whole):
    found = ticks(low, low + span, 5, whole)
    assert found[0] <= low + 1e-6 * max(1, abs(low))
    assert found[-1] >= low + span - 1e-6 * max(1, abs(low))
    assert 2 <= len(found) <= 12
    gaps = [b - a for a, b in pairwise(found)]
    assert max(gaps) - min(gaps) < 1e-6


def test_the_csv_holds_every_figure():
    rows = list(csv.DictReader(io.StringIO(figures_csv(full("x")))))
    sections = {"pairs", "curve", "losses", "voice", "copying", "cost", "contestants"}
    assert {row["section"] for row in rows} == sections
    assert [r["value"] for r in rows if r["figure"] == "gradient norm"] == ["0.5", "0.25"]
    assert [r["value"] for r in rows if r["figure"].startswith("judge")] == ["0.5", "0.25", "0.75"]
    assert [r["value"] for r in rows if r["figure"] == "copied share"] == ["0.25"]
    assert [r["value"] for r in rows if r["section"] == "voice"] == ["0.5"]


def test_a_chart_and_the_dots_stay_in_their_frames_and_name_what_they_show():
    space = "{http://www.w3.org/2000/svg}"
    names = [f"sampled at {i / 10}, top-p 0.9" for i in range(7)]
    lines = tuple(Line(name, ((0.0, 0.1), (50.0, 0.9), (60.0, math.nan))) for name in names)
    row = VoiceRow("line length", "", "distance", (0.5, 0.6, 40.0), (0.4, 0.6))
    table = VoiceTable("en", ("the poet", "base", "tuned"), (row, VoiceRow("x", "", "level", (1.0, 2.0, None))))
    for width in (640, 360):
        for drawn in (chart(Chart("t", "words", "share", lines, (0, 0.2), "the poet"), width, 300), dots(table, width)):
            root = ElementTree.fromstring(drawn)
            high = float(root.get("viewBox").split()[3])
            for each in root.iter(f"{space}circle"):
                assert 0 <= float(each.get("cx")) <= width
                assert 0 <= float(each.get("cy")) <= high
            for each in root.iter(f"{space}text"):
                assert float(each.get("y") or 0) <= high
        assert "80 →" in [t.text for t in ElementTree.fromstring(dots(table, width)).iter(f"{space}text")]
    assert chart(Chart("t", "a", "b", (Line("x", ()),))) == ""
    assert dots(VoiceTable("en", ("the poet", "base"), ())) == ""
