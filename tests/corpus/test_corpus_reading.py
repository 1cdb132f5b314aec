import json
import unicodedata
from pathlib import Path

import pytest

from poetune.corpus import preview, read
from poetune.errors import CorpusError
from poetune.recipe import Corpus

CSV = (
    "author,content,poem name,age,type\n"
    'A,"one rose\nfor you",The Rose,Renaissance,Love\n'
    'B,"two ships\nfor me",The Ship,Modern,Love\n'
    'C,"three stars\nfor none",The Star,renaissance ,Nature\n'
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text(CSV, encoding="utf-8-sig")
    return tmp_path


def test_columns_become_fields_and_tags(root: Path) -> None:
    first = read(Corpus(files=["p.csv"]), root).poems[0]
    assert (first.text, first.title, first.author, first.language) == ("one rose\nfor you", "The Rose", "A", "en")
    assert dict(first.tags) == {"age": "Renaissance", "type": "Love"}
    assert first.source == "p.csv"


def test_where_forgives_case_and_spaces_and_shows_what_there_is(root: Path) -> None:
    assert len(read(Corpus(files=["p.csv"], where={"AGE": " renaissance"}), root).poems) == 2
    poems = read(Corpus(files=["p.csv"], where={"age": "Renaissance", "Poem Name": "the rose"}), root).poems
    assert [poem.title for poem in poems] == ["The Rose"]
    with pytest.raises(CorpusError, match=r"Love \(2\), Nature \(1\)"):
        read(Corpus(files=["p.csv"], where={"type": "War"}), root)
    with pytest.raises(CorpusError, match="did you mean `type`"):
        read(Corpus(files=["p.csv"], where={"typ": "Love"}), root)


def test_map_names_columns_and_a_wrong_one_is_said(root: Path) -> None:
    (root / "q.csv").write_text("strophe,words here,mood\nx,a b c,sad\n")
    with pytest.raises(CorpusError, match="strophe, words here, mood"):
        read(Corpus(files=["q.csv"]), root)
    poem = read(Corpus(files=["q.csv"], map={"Words_Here": "text", "mood": "feeling"}), root).poems[0]
    assert (poem.text, dict(poem.tags)) == ("a b c", {"strophe": "x", "feeling": "sad"})
    with pytest.raises(CorpusError, match="did you mean `strophe`"):
        read(Corpus(files=["q.csv"], map={"strofe": "text"}), root)


def test_a_folder_of_txt_and_md(root: Path) -> None:
    folder = root / "poems"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git/x.txt").write_text("hidden")
    (folder / "notes.docx").write_bytes(b"PK")
    (folder / "The_Sea.txt").write_bytes(b"wide\r\n\r\n  and cold  \r\n\r\n")
    (folder / "b.md").write_text("---\ntitle: Night\ntags: [dark, long]\nauthor: N\n---\nno moon\\\nno star\n")
    (folder / "c.md").write_text("# Day\n\nbright\n")
    (folder / "d.md").write_text("---\na: [\n---\nlost\n")
    intake = read(Corpus(files=["poems"]), root)
    assert [(p.title, p.text) for p in intake.poems] == [
        ("The Sea", "wide\n\n  and cold"),
        ("Night", "no moon\nno star"),
        ("Day", "bright"),
    ]
    assert dict(intake.poems[1].tags) == {"tags": "dark, long"}
    assert [s.file for s in intake.skipped] == ["poems/d.md"]
    assert intake.files == 4
    assert any(".docx" in note for note in intake.notes)


def test_many_poems_in_a_file_are_previewed_before_they_are_taken(root: Path) -> None:
    (root / "m.txt").write_text("Rain\n\nit falls\nand falls\n---\nit stops\nat last\n---\nsun\nagain\n")
    found = preview(Corpus(files=["m.txt", "p.csv"]), root)
    assert [(f.file, f.rule, f.poems, f.openings) for f in found] == [("m.txt", "---", 3, ("Rain", "it stops", "sun"))]
    whole = read(Corpus(files=["m.txt"]), root)
    assert len(whole.poems) == 1
    assert any("`---`" in note and "3" in note for note in whole.notes)
    for separator in ("---", "auto"):
        parts = read(Corpus(files=["m.txt"], separator=separator), root)
        assert [(p.title, p.text) for p in parts.poems] == [
            ("Rain", "it falls\nand falls"),
            ("", "it stops\nat last"),
            ("", "sun\nagain"),
        ]


def test_punctuation_stays_and_characters_are_composed(root: Path) -> None:
    text = "「夜」……——　月，、；\n\n\n　　é"
    (root / "a.jsonl").write_text(json.dumps({"text": unicodedata.normalize("NFD", text)}), encoding="utf-8")
    assert read(Corpus(files=["a.jsonl"]), root).poems[0].text == text


def test_bad_rows_are_counted_named_and_skipped(root: Path) -> None:
    rows = [b'{"text": "good one"}', b"{", b'{"text": ""}', b'{"text": "***"}', b'{"text": "bro\xef\xbf\xbdken"}']
    rows += [b'{"text": "\xe6\x98\xa5\xff\xfe\x81 \xc3"}', b'{"text": "fine", "author": "Zo\xef\xbf\xbd"}']
    (root / "a.jsonl").write_bytes(b"\n".join(rows))
    intake = read(Corpus(files=["a.jsonl"]), root)
    assert [(p.text, p.author) for p in intake.poems] == [("good one", ""), ("fine", "")]
    assert [s.row for s in intake.skipped] == [2, 3, 4, 5, 6]


def test_twins(root: Path) -> None:
    lines = ["red leaf falls", "grey rain comes", "the door is shut", "nobody calls"]
    texts = ["\n".join(lines), "\n".join(lines).upper() + "!", "\n".join([*lines[:3], "and then a song"]), "other"]
    (root / "a.jsonl").write_text("\n".join(json.dumps({"text": t}) for t in texts))
    intake = read(Corpus(files=["a.jsonl"]), root)
    assert [p.text for p in intake.poems] == [texts[0], texts[2], texts[3]]
    assert intake.dropped == 1
    assert intake.twins == ((intake.poems[0].id, intake.poems[1].id, 0.75),)
    assert len(read(Corpus(files=["a.jsonl"], limit=2), root).poems) == 2


def test_single_lines_are_recognised_and_joined(root: Path) -> None:
    rows = [
        ("t1", "a red leaf"),
        ("t1", "a grey stone"),
        ("t1", ""),
        ("t1", "a door"),
        ("t2", "we go"),
        ("t2", "we stay"),
    ]
    rows += [("t3", "snow"), ("t3", "ice")]
    (root / "l.csv").write_text("poem id,line\n" + "".join(f"{a},{b}\n" for a, b in rows))
    cut = read(Corpus(files=["l.csv"]), root)
    assert any("join_lines_by" in note and "poem id" in note for note in cut.notes)
    whole = read(Corpus(files=["l.csv"], join_lines_by="poem id"), root)
    assert [p.text for p in whole.poems] == ["a red leaf\na grey stone\n\na door", "we go\nwe stay", "snow\nice"]
    assert not any("single lines" in note for note in whole.notes)


def test_lost_line_breaks_are_recognised_and_mended(root: Path) -> None:
    verse = ["the red leaf falls upon the ground", "The grey rain comes without a sound,", "The door is shut"] * 3
    (root / "f.jsonl").write_text(json.dumps({"text": "".join(verse)}))
    flat = read(Corpus(files=["f.jsonl"]), root)
    assert any("mend_line_breaks" in note for note in flat.notes)
    mended = read(Corpus(files=["f.jsonl"], mend_line_breaks=True), root)
    assert mended.poems[0].text.split("\n")[:3] == [
        verse[0],
        verse[1],
        "The door is shutthe red leaf falls upon the ground",
    ]
    assert not any("lost their" in note for note in mended.notes)


def test_what_is_not_there_is_said(root: Path) -> None:
    for files, words in (([], "no files"), (["nope.txt"], "does not exist"), (["hub:./nope"], "not a folder")):
        with pytest.raises(CorpusError, match=words):
            read(Corpus(files=files), root)
    (root / "e.txt").write_text("\n\n")
    with pytest.raises(CorpusError, match="has no text"):
        read(Corpus(files=["e.txt"]), root)
    (root / "x.pdf").write_bytes(b"%PDF")
    with pytest.raises(CorpusError, match=r"\.pdf"):
        read(Corpus(files=["x.pdf"]), root)
