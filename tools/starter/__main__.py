"""`python -m tools.starter build CORPUS... --work DIR --out DIR`: every step in order."""

import argparse
import json
import os
import platform
from dataclasses import replace
from pathlib import Path

import torch

from tools.starter.evaluate import evaluate
from tools.starter.instruct import instruct
from tools.starter.names import PARTS, teach_names
from tools.starter.pack import pack
from tools.starter.prepare import prepare
from tools.starter.pretrain import Plan, pretrain
from tools.starter.train_tokenizer import train_tokenizer


def build(
    sources: list[Path], work: Path, out: Path, plan: Plan, minutes: tuple[float, float], poems: int, limit: int
) -> dict:
    """Rebuild the bundled base from corpus files; returns its figures. Stopped and called again, it goes on.

    `minutes`: of the two stages in the chat template, the one of themes and the one of names.
    """
    if not (work / "rows.jsonl").exists():
        print(prepare(sources, work, limit))
    if not (work / "tok").exists():
        print(train_tokenizer(work, work / "tok"))
    stages = [pretrain(work, work / "tok", work / "pre", plan)]
    short = replace(plan, minutes=minutes[0], max_steps=plan.max_steps // 4)
    stages.append(instruct(work, work / "tok", work / "pre" / "best", work / "ins", short))
    short = replace(plan, minutes=minutes[1], max_steps=plan.max_steps // 4)
    stages.append(teach_names(work, work / "tok", work / "ins" / "best", work / "names", short))
    base = work / "names" / PARTS[-1].folder / "best"
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (base / name).write_bytes((work / "tok" / name).read_bytes())
    figures = evaluate(work, base, poems)
    training = {
        "tokens": int(sum(stage["tokens"] for stage in stages)),
        "minutes": sum(stage["seconds"] for stage in stages) / 60,
        "hardware": f"{os.cpu_count()} CPU cores ({platform.machine()})"
        if not torch.cuda.is_available()
        else torch.cuda.get_device_name(),
        "poems": poems,
    }
    pack(base, work / "tok", out, figures, training)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["build"])
    parser.add_argument("sources", nargs="+", type=Path, help="JSONL files of poems, .xz or plain")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("src/poetune/starter/base"))
    parser.add_argument("--minutes", type=float, default=92.0)
    parser.add_argument("--instruct-minutes", type=float, default=14.0)
    parser.add_argument("--names-minutes", type=float, default=40.0)
    parser.add_argument("--max-steps", type=int, default=0)
    parser.add_argument("--poems", type=int, default=100)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--layers", type=int, default=Plan.layers)
    parser.add_argument("--hidden", type=int, default=Plan.hidden)
    given = parser.parse_args()
    shape = Plan(minutes=given.minutes, max_steps=given.max_steps, layers=given.layers, hidden=given.hidden)
    stages = (given.instruct_minutes, given.names_minutes)
    done = build(given.sources, given.work, given.out, shape, stages, given.poems, given.limit)
    print(json.dumps(done, indent=2))
