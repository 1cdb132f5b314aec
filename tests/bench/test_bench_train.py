"""The training benchmark: its arithmetic, and one small real run in which the tools train to the same loss."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from poetune_bench import table
from poetune_bench.cli import main
from poetune_bench.running import run_all
from poetune_bench.training import TrainPlan


def plan(tmp_path, tools=("poetune", "peft", "padfree", "default"), repeats=3):
    return TrainPlan(
        "tiny", 6, 60, repeats, 1, "cpu", "fp32", tools, frozenset({"default"}), tmp_path, tmp_path / "log"
    )


def line(tool, cpu, peak=100, **more):
    figures = {"wall_per_1k": cpu + 1, "cpu_per_1k": cpu, "wall_per_step": 1.0, "cpu_seconds": 9.0, "peak_mb": peak}
    return {"run": tool, "ticks": 10, "tokens": 1000, "held_out": 8.0, "cores_used_by_others": 0.0} | figures | more


def test_ratios_count_the_filling_of_the_cache_and_take_the_median(tmp_path):
    floor = {"run": "floor", "cached_per_1k": 0.9, "plain_per_1k": 2.0, "fill_per_1k": 1.0}
    opening = [{"cpu_per_1k": 10.0, "wall_per_1k": 0.0}]
    runs = [line("poetune", cpu, 60, opening=opening) for cpu in (1.0, 1.1, 9.0)]
    runs += [line("peft", 4.2, held_out=8.04), line("padfree", 6.3), line("default", 10.5, 200), floor]
    found = table.result(plan(tmp_path), runs, epochs=10)
    assert found["rows"][0]["per_1k"] == pytest.approx(2.1)  # 1.1, and 10 spread over 10 passes
    assert found["ratios"] == (
        {
            "trl_best": 3.0,
            "trl_default": 5.0,
            "peft_loop": 2.0,
            "floor": 2.1,
            "memory": 0.6,
            "sweep8": pytest.approx(80 * 6.3 / (80 * 1.1 + 10), abs=1e-4),
            "held_out_spread": 0.005,
        }
    )
    assert "| poetune | 2.100 |" in table.text(found)


def test_tools_alternate_and_what_the_log_has_is_not_run_again(tmp_path, monkeypatch):
    asked = plan(tmp_path)
    turns = list(asked.turns())
    assert [tool for tool, repeat in turns if repeat == 0] == ["poetune", "peft", "padfree", "default", "floor"]
    assert [tool for tool, repeat in turns if repeat == 2] == ["poetune", "peft", "padfree", "floor"]
    ran = []
    monkeypatch.setattr("poetune_bench.running._make", lambda *_: None)
    monkeypatch.setattr("poetune_bench.running.run_one", lambda command, _: ran.append(command) or {"cpu_per_1k": 1.0})
    first = run_all(asked, lambda _: None)
    assert len(ran) == len(turns)
    assert run_all(asked, lambda _: None) == first
    assert len(ran) == len(turns)


@pytest.mark.torch
def test_poetune_and_a_plain_loop_train_to_the_same_loss(tmp_path):
    pytest.importorskip("torch")
    asked = ["train", "--shape", "tiny", "--layers", "3", "--steps", "4", "--repeats", "1", "--tools", "poetune,peft"]
    done = CliRunner().invoke(main, [*asked, "--json", "--log", str(tmp_path / "log")], catch_exceptions=False)
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    own, peft = found["rows"]
    assert own["held_out"] == pytest.approx(peft["held_out"], rel=1e-5)
    assert own["peak_mb"] > 0
    assert own["opening_per_1k"] > 0
    assert {"floor", "peft_loop", "held_out_spread"} <= set(found["ratios"])


def test_a_folder_without_peers_is_named(tmp_path):
    done = CliRunner().invoke(main, ["train", "--peers", str(tmp_path)])
    assert done.exit_code == 1
    assert str(Path(tmp_path)) in done.output
