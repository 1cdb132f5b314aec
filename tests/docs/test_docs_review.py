"""docs/review.md: its commands parse, its keys are the page's, its pictures are there."""

import re
import shlex
from pathlib import Path

from poetune.cli.commands.review import KINDS, review

PAGE = Path(__file__).resolve().parents[2] / "docs" / "review.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_command_parses() -> None:
    lines = re.findall(r"^poetune (review.*)$", TEXT, re.MULTILINE)
    assert len(lines) > 6
    for line in lines:
        review.make_context("review", shlex.split(line)[1:])


def test_every_format_is_there() -> None:
    table = TEXT.partition("| format | is |")[2].partition("\n\n")[0]
    told = {name for row in re.findall(r"^\| ([a-z, ]+) \|", table, re.MULTILINE) for name in row.split(", ")}
    assert told == set(KINDS)


def test_pictures_are_there() -> None:
    named = set(re.findall(r"images/([a-z-]+\.png)", TEXT))
    assert named
    assert named <= {path.name for path in (PAGE.parent / "images").iterdir()}
