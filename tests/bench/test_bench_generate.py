"""The writing benchmark: its arithmetic, and one small real run of every tool."""

import json

import pytest
from click.testing import CliRunner
from poetune_bench import writing
from poetune_bench.cli import PEERS, main


def line(tool, rate, peak=100, **more):
    figures = {"tokens_per_cpu_s": rate, "tokens_per_wall_s": rate / 2, "cpu_per_poem": 90 / rate, "wall_per_poem": 9.0}
    return {"run": tool, "poems": 4, "tokens": 360, "peak_mb": peak, "cores_used_by_others": 0.0} | figures | more


def test_ratios_are_over_the_faster_of_transformers_ways(tmp_path):
    plan = writing.WritePlan(
        "tiny", 4, 1, False, 3, 1, "cpu", "fp32", writing.TOOLS, frozenset({"loop"}), "8", 4, tmp_path
    )
    assert [tool for tool, repeat in plan.turns() if repeat == 1] == ["poetune", "generate", "generate_batch"]
    runs = [line("poetune", rate, 60) for rate in (90.0, 100.0, 400.0)]
    runs += [line("generate", 20.0, 80, extrapolated=True), line("generate_batch", 40.0, 120), line("loop", 2.0)]
    found = writing.result(plan, runs)
    assert found["ratios"] == {"transformers_best": 2.5, "memory": 0.5, "process_loop": 50.0}
    assert found["rows"][0]["poems_per_min"] == pytest.approx(60 / 0.9, abs=0.01)
    assert "| generate | 20.0 (extrapolated) |" in writing.text(found)


@pytest.mark.torch
def test_every_tool_writes_the_poems_asked_for(tmp_path):
    pytest.importorskip("torch")
    peers = tmp_path / "peers"
    peers.mkdir()
    for script in PEERS.glob("*.py"):
        text = script.read_text("utf-8")
        if script.name == "workload.py":  # poems of four tokens, and a model of one layer
            text = text.replace("return int(min(400", "return 4 or int(min(400").replace(
                "688, 12, 4, 4)", "688, 2, 4, 4)"
            )
        (peers / script.name).write_text(text, "utf-8")
    asked = [
        "generate",
        "--shape",
        "tiny",
        "--poems",
        "3",
        "--loop",
        "1",
        "--repeats",
        "1",
        "--batches",
        "2",
        "--whole",
    ]
    done = CliRunner().invoke(main, [*asked, "--peers", str(peers), "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert [(row["run"], row["poems"]) for row in found["rows"]] == [
        ("poetune", 3), ("generate", 2), ("generate_batch", 3), ("loop", 1),
    ]  # fmt: skip
    assert [row["tokens"] for row in found["rows"]][1:] == [8, 12, 4]
    assert found["rows"][0]["tokens"] >= 11  # an END is no token of a poem
    assert set(found["ratios"]) == {"transformers_best", "memory", "process_loop"}
