"""Poems written while a training goes on, and the training that does not notice."""

import pytest

torch = pytest.importorskip("torch")

from trainings import ADAPTED, ASKED, TWO, course, job  # noqa: E402

from poetune.backends.table import open_engine  # noqa: E402
from poetune.ports import Request, Weights  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402
from poetune.records import Sampling  # noqa: E402

pytestmark = pytest.mark.torch


def asked(base, adapter=""):
    draws = Sampling(max_tokens=25)
    return [
        Request("one", Weights(base, adapter), ASKED, draws, 1),
        Request("beams", Weights(base, adapter), ASKED, Sampling(max_tokens=10, beams=2, temperature=0), 2),
        Request("two", Weights(base, adapter), ASKED, draws, 3),
    ]


@pytest.mark.parametrize("how", [{}, {"method": "full"}, {"precision": "bf16"}, {"method": "dora", "bias": "all"}])
@pytest.mark.parametrize("architecture", TWO)
def test_samples_come_from_the_weights_of_the_moment_and_change_nothing(mini, tmp_path, architecture, how):
    base, engine = mini(architecture), open_engine("torch", device="cpu")
    small = {"steps": 4, "batch": 4, "rate": 0.02, "warmup": 1, "dropout": 0.3, "checkpoint_every": 2,
             "report_every": 1, "modules": ADAPTED[architecture], **how}  # fmt: skip
    settings = Finetune(**small, sample_every=2)
    silent = list(engine.train(job(base, tmp_path / "silent", settings)))
    told = list(engine.train(job(base, tmp_path / "told", settings, samples=asked(base))))
    assert course(told) == course(silent)
    samples = {(e.step, e.request): e.text for e in told if e.kind == "sample"}
    assert list(samples) == [(step, name) for step in (2, 4) for name in ("one", "beams", "two")]
    assert all(e.kind != "sample" for e in silent)
    if how.get("precision") == "bf16":
        return  # a checkpoint writes in fp32, and other bits may draw other words
    for step in (2, 4):
        folder = str(tmp_path / "told" / f"checkpoint-00000{step}")
        written = {w.id: w.text for w in engine.generate(asked(base, folder))}
        assert written == {name: samples[step, name] for name in written}
