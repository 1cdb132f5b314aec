"""The docs are true: every command line of docs/commands.md runs, every command stands there, recipe.md is current."""

import json
import os
import random
import re
from pathlib import Path

import pytest
from documented import chat_once, read_two, run

from poetune.cli.commands import ALL
from tools.docs.recipe_page import PAGE, page

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINES = re.findall(r"^    \$ (.+)$", (DOCS / "commands.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_command_is_documented() -> None:
    assert {command.name for command in ALL} <= {line.split()[1] for line in LINES if line.startswith("poetune ")}


def test_the_recipe_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tools.docs.recipe_page"


def duet() -> list[dict[str, str]]:
    """Twelve poems each by two authors who could not be mistaken for each other."""
    words = "rain salt lamp stone river bread winter door orchard letter moth tide ember wheel field".split()  # noqa: SIM905
    rows = []
    for number in range(12):
        a, b, c, d = random.Random(number).sample(words, 4)
        rows.append({"author": "Ann Dash", "text": f"The {a} — is {b} —\nAnd I — am {c} —\nA {d} — the {b} —"})
        long = f"I sing the wide road of {a}, and the workers of the {b},\nO ships of {c}, you too, and every {d}!"
        rows.append({"author": "Walt Long", "text": long})
    return rows


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_every_documented_line_runs(tmp_path: Path, poems: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(poems.iterdir())]
    (tmp_path / "poems.txt").write_text("\n---\n".join(texts), encoding="utf-8")
    (tmp_path / "unfinished.txt").write_text("One lamp on the plate.\nTwo trucks", encoding="utf-8")
    rows = '"content","age"\n"Shall I weigh thee?\nThou art a lorry.",Renaissance\n"A car.\nA road.",Modern\n'
    (tmp_path / "more.csv").write_text(rows, encoding="utf-8")
    kettle = [[["rain", "Somebody left a kettle singing\nin the house across."]], [["salt", "Bring me a\nspoon."]]]
    (tmp_path / "generated_poems.json").write_text(json.dumps(kettle), encoding="utf-8")
    lora = "model: Qwen/Qwen2.5-7B-Instruct\nnum_layers: 12\niters: 1000\nlora_parameters: {rank: 4, scale: 8.0}\n"
    (tmp_path / "lora.yaml").write_text(lora, encoding="utf-8")
    (tmp_path / "duet.jsonl").write_text("\n".join(map(json.dumps, duet())) + "\n", encoding="utf-8")
    folder = tmp_path
    for line in LINES:
        if line.startswith("cd "):
            folder = folder / line.split()[1]
        elif " review " in line and "--export" not in line:
            read_two(line, folder)
        elif " serve " in line:
            chat_once(line, folder)
        else:
            done = run(line, folder)
            expected = 2 if "exit code 2" in line else 0
            assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
            assert "Traceback" not in done.stderr
    assert (folder / "report.html").exists()
    assert (folder / "samples.txt").read_text(encoding="utf-8").count("The plate is wet.") >= 2
    assert {p.name for p in (folder / "export").iterdir()} >= {"train.jsonl"}
