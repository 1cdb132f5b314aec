import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from poetune.corpus import objects, table
from poetune.corpus.chat import unwrap
from poetune.corpus.intake import Findings


def _csv(text: str) -> tuple[list[dict[str, object]], Findings]:
    findings = Findings()
    return [dict(row.values) for row in table.rows("a.csv", text, findings)], findings


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=12)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6))
def test_what_the_standard_writer_writes_is_read(rows: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("a", "b", "c"), *rows])
    read, findings = _csv(out.getvalue())
    assert [tuple(row.values()) for row in read] == [row for row in rows if any(cell.strip() for cell in row)]
    assert len(findings.skipped) <= sum(not any(c.strip() for c in row) for row in rows)


def test_one_open_quote_does_not_lose_the_other_rows() -> None:
    text = 'title,text\nA,"one\ntwo"\nB,"never closed\nnext line\nC,"three, and\nfour"\nD,"five"\n'
    read, findings = _csv(text)
    assert [(r["title"], r["text"]) for r in read] == [("A", "one\ntwo"), ("C", "three, and\nfour"), ("D", "five")]
    assert [(s.row, "line 4" in s.why) for s in findings.skipped] == [(2, True)]


def test_unquoted_commas_are_refused_by_row() -> None:
    read, findings = _csv("title,text\nA,one\nB,one, two, three\nC,four\n")
    assert [r["title"] for r in read] == ["A", "C"]
    assert findings.skipped[0].row == 2
    assert "4 fields instead of 2" in findings.skipped[0].why


def test_semicolons_backslashes_and_excels_hint() -> None:
    assert _csv("sep=;\ntitle;text\nA;x, y\n")[0] == [{"title": "A", "text": "x, y"}]
    assert _csv('title,text\nA,"he said \\"go\\", twice"\n')[0] == [{"title": "A", "text": 'he said "go", twice'}]


def test_a_bad_json_line_is_named_and_skipped() -> None:
    findings = Findings()
    rows = list(objects.json_lines("a.jsonl", '{"text": "one"}\n{"text": \n\n"two"\n7\n', findings))
    assert [row.values["text"] for row in rows] == ["one", "two"]
    assert [skip.row for skip in findings.skipped] == [2, 5]


def test_a_json_list_with_a_bad_element_keeps_the_others() -> None:
    findings = Findings()
    text = '[\n{"text": "one"},\n{"text": "two" oops},\n{"text": "three"}\n]'
    assert [row.values["text"] for row in objects.json_file("a.json", text, findings)] == ["one", "three"]
    assert [skip.row for skip in findings.skipped] == [2]


def test_json_of_other_shapes() -> None:
    def texts(value: object) -> list[object]:
        return [row.values["text"] for row in objects.json_file("a.json", json.dumps(value), Findings())]

    assert texts({"poems": [{"text": "a"}, {"text": "b"}]}) == ["a", "b"]
    assert texts([[{"text": "a"}], [{"text": "b"}]]) == ["a", "b"]
    assert texts(["a", "b"]) == ["a", "b"]
    assert texts({"text": "a", "title": "b"}) == ["a"]


@given(st.text(max_size=60))
def test_no_json_text_raises(text: str) -> None:
    list(objects.json_file("a.json", "[" + text, Findings()))
    list(objects.json_lines("a.jsonl", text, Findings()))


def test_conversations_give_theme_and_poem() -> None:
    poem = "水声\n远了"
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "河"},
        {"role": "assistant", "content": poem},
    ]
    shapes: list[dict[str, object]] = [
        {"messages": turns},
        {"conversations": [{"from": "human", "value": "河"}, {"from": "gpt", "value": poem}]},
        {
            "text": "<|im_start|>system s<|im_end|> <|im_start|>user 河<|im_end|> "
            f"<|im_start|>assistant {poem}<|im_end|>"
        },
        {"prompt": "河", "completion": poem},
        {"prompt": turns[:2], "completion": turns[2:]},
        {"image": "河", "response": poem},
        {"instruction": "写诗", "input": "河", "output": poem},
    ]
    for shape in shapes:
        row = unwrap(shape)
        assert (row["theme"], row["text"]) == ("河", poem), shape
    plain = {"text": "a", "title": "b"}
    assert unwrap(plain) == plain
