"""The sweep benchmark: its arithmetic, and one small real sweep that learns what TRL's runs learn."""

import json

import pytest
from click.testing import CliRunner
from poetune_bench import sweeping
from poetune_bench.cli import main
from poetune_bench.sweeping import SweepPlan


def plan(tmp_path, peer_settings=8, repeats=1):
    return SweepPlan("tiny", 3, 24, 60, 8, peer_settings, "padfree", repeats, 1, "cpu", "fp32", tmp_path)


def run(name, cpu, losses, peak=100, **more):
    figures = {"job_cpu_s": cpu, "job_wall_s": cpu + 1, "peak_mb": peak, "cores_used_by_others": 0.0}
    return {"run": name, "held_out": losses} | figures | more


def test_trl_may_train_some_of_the_settings_and_the_rest_is_said_to_be_extrapolated(tmp_path):
    asked = plan(tmp_path, peer_settings=2)
    assert [tool for tool, _ in asked.turns()] == ["trl 0", "poetune", "trl 4"]
    own = run("poetune", 50.0, [8.0] * 8, 60, labels=list("abcdefgh"), seconds=[6.0] * 8)
    found = sweeping.result(asked, [own, run("trl 0", 20.0, 8.0), run("trl 4", 30.0, 8.04)])
    assert found["passes"] == 10
    assert found["ratios"] == {"sweep": 4.0, "memory": 0.6, "held_out_spread": 0.005}
    assert found["extrapolated"] is True
    assert [each["trl"] is None for each in found["settings"]] == [False, True, True, True, False, True, True, True]
    assert "trl padfree, extrapolated from 2 | 8 | 200.0" in sweeping.text(found)


def test_repeats_give_medians_and_a_setting_of_trl_has_one_place_in_the_log(tmp_path):
    asked = plan(tmp_path, peer_settings=1, repeats=3)
    runs = [run("trl 0", cpu, 8.0) for cpu in (90.0, 10.0, 11.0)]
    runs += [run("poetune", cpu, [8.0] * 8, labels=["x"] * 8, seconds=[cpu] * 8) for cpu in (22.0, 80.0, 20.0)]
    assert sweeping.result(asked, runs)["ratios"]["sweep"] == 4.0
    assert plan(tmp_path, 1).key("trl 0", 0) == plan(tmp_path, 8).key("trl 0", 0)
    assert asked.key("trl 0", 0) != asked.key("trl 0", 1)


@pytest.mark.torch
def test_a_sweep_learns_what_one_trl_run_a_setting_learns(tmp_path):
    pytest.importorskip("trl")
    asked = ["sweep", "--layers", "2", "--poems", "4", "--passes", "3", "--settings", "2", "--trl-settings", "1"]
    done = CliRunner().invoke(main, [*asked, "--repeats", "1", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    first, second = found["settings"]
    assert first["poetune"] == pytest.approx(first["trl"], rel=1e-5)
    assert first["poetune"] != second["poetune"]
    assert second["trl"] is None
    own, trl = found["rows"]
    assert min(own["cpu_seconds"], trl["cpu_seconds"]) > 0
    assert found["passes"] == 3
