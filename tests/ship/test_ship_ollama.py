"""The Modelfile's template gives the very prompt, by Go itself where there is Go, else by a subset of it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poetune.errors import StoreError
from poetune.records import Sampling
from poetune.ship.ollama import SYSTEM, THEME, Spelled, modelfile, template

CHATML = Spelled(
    f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{THEME}<|im_end|>\n<|im_start|>assistant\n",
    f"<|im_start|>user\n{THEME}<|im_end|>\n<|im_start|>assistant\n",
    ("<|im_end|>", "<|endoftext|>"),
    "You are a poet.",
)
MARKS = st.sampled_from(["{{", "}}", '"""', '"', "{", "`", "\\", "\n", " ", "{{ if .System }}", "- "])
TEXTS = st.lists(MARKS | st.text(max_size=3), max_size=6).map("".join)


def subset(text: str, system: str, prompt: str) -> str:
    """Fields, string constants and `if .System`, as Go's text/template does them."""
    out, skipping = "", False
    for literal, action in re.findall(r"([^{]*(?:\{(?!\{)[^{]*)*)(\{\{.*?\}\}|$)", text, re.S):
        out += "" if skipping else literal
        inner = action[2:-2].strip()
        if inner == "if .System":
            skipping = not system
        elif inner == "else":
            skipping = bool(system)
        elif inner == "end":
            skipping = False
        elif inner == ".Response":
            return out
        elif not skipping and inner:
            out += {".Prompt": prompt, ".System": system}.get(inner) or (json.loads(inner) if inner[0] == '"' else "")
    raise AssertionError("no .Response")


def go(folder: Path, text: str, system: str, prompt: str) -> str:
    program = folder / "render"
    if not program.exists():
        source = str(Path(__file__).parent / "ollama_render.go")
        subprocess.run(["go", "build", "-o", str(program), source], check=True, cwd=folder)
    said = json.dumps({"template": text, "system": system, "prompt": prompt})
    return subprocess.run([program], input=said.encode(), capture_output=True, check=True).stdout.decode()


def wanted(spelled: Spelled, system: str, prompt: str) -> str:
    asked = spelled.with_system if system else spelled.without_system
    return asked.replace(THEME, prompt).replace(SYSTEM, system)


@given(TEXTS, TEXTS, st.sampled_from(["rain", "雨", "a {{ b }}"]))
def test_any_text_around_the_theme_comes_out_as_it_was(before, after, prompt):
    spelled = Spelled(f"{before}{SYSTEM}\n{THEME}{after}", f"{before}{THEME}{after}", ())
    made = template(spelled)
    assert '"""' not in made
    for system in ("", "be brief"):
        assert subset(made, system, prompt) == wanted(spelled, system, prompt)


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_go_itself_gives_the_same_bytes(tmp_path):
    odd = Spelled(f'{{{{x}}}} """ {SYSTEM} `{THEME}\\n"', f'"{{ {THEME} }}"""" {{{{ if .System }}}}', ())
    for spelled in (CHATML, odd):
        for system in ("", "Be brief.\nBe plain."):
            for prompt in ("rain", "雨 {{ .System }}"):
                found = go(tmp_path, template(spelled), system, prompt)
                assert found == wanted(spelled, system, prompt) == subset(template(spelled), system, prompt)


def test_the_file_says_prompt_stops_and_drawing():
    text = modelfile(CHATML, Sampling(0.7, 0.9, 0, 1.05, max_tokens=120, min_p=0.02, stop=("###", "\n\n\n")), "MIT")
    assert text.startswith('FROM .\nTEMPLATE """{{ if .System }}<|im_start|>system\n')
    assert 'SYSTEM """You are a poet."""' in text
    for line in ("temperature 0.7", "top_p 0.9", "top_k 0", "repeat_penalty 1.05", "num_predict 120", "min_p 0.02"):
        assert f"PARAMETER {line}\n" in text
    stops = ('stop "<|im_end|>"', 'stop "<|endoftext|>"', 'stop "###"', 'stop """\n\n\n"""')
    for line in stops:
        assert f"PARAMETER {line}\n" in text
    with pytest.raises(StoreError, match="use other quotes"):
        modelfile(Spelled("a", "b", (), '"""'), Sampling())
