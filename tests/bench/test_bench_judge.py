import json

from click.testing import CliRunner
from poetune_bench.cli import main


def measured(*more: str) -> dict:
    done = CliRunner().invoke(main, ["judge", "--candidates", "120", "--seeds", "3", "--json", *more])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_the_four_ways_are_measured_and_a_judge_that_never_errs_finds_the_best() -> None:
    found = measured("--accuracy", "1", "--no-checks")
    assert {way: found[way]["calls"] for way in ("funnel", "pointwise", "knockout")} == {
        "funnel": 29,
        "pointwise": 120,
        "knockout": 238,
    }
    assert found["funnel"]["recall5"] == 1.0
    assert found["funnel"]["top20"] == 1.0
    assert found["per_title"]["top20"] > 0.9
    assert found["knockout"]["recall5"] >= 0.2


def test_at_equal_calls_no_way_takes_more() -> None:
    found = measured("--calls", "30", "--no-checks")
    assert all(found[way]["most_calls"] <= 30 for way in ("funnel", "pointwise", "knockout"))
    checks = measured("--ways", "funnel")["checks"]
    assert set(checks) == {"biased", "persistent"}
    assert checks["biased"]["funnel"]["most_calls"] <= 30
