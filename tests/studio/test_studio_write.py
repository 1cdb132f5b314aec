"""`write`: heard as it grows, a line anew, and what a user gives wrongly."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from poetune.cli.live import Live
from poetune.errors import EngineError, RecipeError
from poetune.records import Candidate
from poetune.studio import Studio

SMALL = ["finetune.steps=20", "finetune.checkpoint_every=20", "generate.max_tokens=80"]
POEM = "The plate is wet.\nNobody stands there.\n\nCome forward, driver.\n"


def test_a_poem_is_heard_as_it_grows_and_shown_once(project: Path) -> None:
    out = StringIO()
    live, heard = Live(out), []

    def both(number: int, text: str) -> None:
        heard.append((number, text))
        live(number, text)

    with Studio(project, SMALL) as studio:
        studio.finetune()
        done = studio.write("", "The plate is wet.", both, poems=2)
        assert all(done.texts[number].startswith(text) for number, text in heard)
        assert len(heard) > 20
        live.close(done.texts)
        assert out.getvalue() == "\n\n".join(done.texts) + "\n"
        fetched = StringIO()
        again = Live(fetched)
        again.close(studio.write("", "The plate is wet.", again, poems=2).texts)
        assert fetched.getvalue() == out.getvalue()


def test_a_line_is_written_anew_in_place_and_never_twice_the_same(project: Path) -> None:
    file = project.parent / "poem.txt"
    file.write_text(POEM, encoding="utf-8")
    with Studio(project, SMALL) as studio:
        studio.finetune()
        first = studio.write("rain", unfinished=file, again=2, alternatives=4)
        assert (len(set(first.lines)), first.was) == (4, "Nobody stands there.")
        for text, line in zip(first.texts, first.lines, strict=True):
            assert text.split("\n") == ["The plate is wet.", line, "", "Come forward, driver."]
        before = studio.store.count(Candidate)
        second = studio.write("rain", unfinished=file, again=2)
        assert len(second.lines) == 1
        assert studio.store.count(Candidate) >= before + 2
        whole = studio.write("rain").texts[0].split("\n")
        mended = studio.write("rain", again=1).texts[0].split("\n")
        assert mended[1:] == whole[1:]
        assert mended[0] != whole[0]
        with pytest.raises(EngineError, match=r"has 3 lines, and line 9"):
            studio.write("rain", unfinished=file, again=9)
        with pytest.raises(EngineError, match="temperature is 0"):
            Studio(project, [*SMALL, "generate.temperature=0"]).write("rain", unfinished=file, again=1)
        with pytest.raises(RecipeError, match="control character"):
            studio.write("rain\x07")


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_on_a_terminal_the_poem_streams_and_a_pipe_gets_it_whole(project: Path) -> None:
    import pty

    words = [sys.executable, "-m", "poetune", "write", "rain", "--base", "--project", str(project)]
    command = [*words, "--set", "generate.max_tokens=40"]
    upper, lower = pty.openpty()
    process = subprocess.Popen(command, stdout=lower, stderr=subprocess.DEVNULL)
    os.close(lower)
    pieces = []
    while True:
        try:
            piece = os.read(upper, 65536)
        except OSError:  # how Linux says that the other side has gone
            break
        if not piece:
            break
        pieces.append(piece)
    assert process.wait() == 0
    os.close(upper)
    shown = b"".join(pieces).replace(b"\r\n", b"\n")
    piped = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    assert shown.decode() == piped.decode()
    assert len(pieces) > 1


def test_the_poem_is_whole_on_the_terminal_whatever_was_heard() -> None:
    for heard, text, shown in (
        ("Fog\n\nIt is l", "It is low.\nIt stays.", "Fog\n\nIt is low.\nIt stays."),  # the title is taken out
        ("I think of rain.", "The rain.", "I think of rain.\n\nThe rain."),  # a thought that was not marked as one
        ("", "The rain.", "The rain."),
    ):
        out = StringIO()
        live = Live(out)
        live(0, heard)
        live.close([text])
        assert out.getvalue() == shown + "\n"
