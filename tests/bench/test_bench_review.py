"""The review page's clock counts every key; how fast they were is no test's business."""

import json

from click.testing import CliRunner
from poetune_bench.cli import main

from tests.web.browser import MARKS

pytestmark = MARKS


def test_every_key_is_timed():
    done = CliRunner().invoke(main, ["review", "--poems", "40", "--presses", "6", "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    assert (found["poems"], found["presses"]) == (40, 6)
    assert 0 < found["median_ms"] <= found["p95_ms"] <= found["most_ms"]
