"""What mlx-lm 0.32 gets wrong in training and this engine does not; each test shows both."""

from dataclasses import fields

import pytest

pytest.importorskip("mlx_lm")

import mlx.core as mx
import numpy as np
from mlx import nn, optimizers
from mlx_lm.tuner.trainer import TrainingArgs, default_loss
from mlx_trainings import Plain, course, job, learner, plain_training, rows_of, settings

from poetune.backends.mlx.forward import Forward
from poetune.backends.ordering import step_rows
from poetune.backends.table import open_engine


def test_every_poem_is_read_once_an_epoch(mini_mlx):
    rows = rows_of(mini_mlx(), 7)
    theirs = [i for ids, ends in Plain(rows).batches(2) for i in ends[:, 1].tolist()]
    assert len(theirs) == 6  # always the same one is left out

    class Counting(Forward):
        seen: list = []  # noqa: RUF012

        def nats(self, rows):
            self.seen.extend(rows)
            return super().nats(rows)

    mind = learner(mini_mlx(), settings(batch=2), Counting, rows)
    for epoch in range(2):
        Counting.seen.clear()
        for number in range(1, 5):
            mind.step(4 * epoch + number, 1e-3)
        assert sorted(Counting.seen, key=str) == sorted(rows, key=str)


def test_rows_of_like_lengths_go_together(mini_mlx):
    by_length = sorted(rows_of(mini_mlx(), 12), key=lambda row: len(row.ids))
    own = [by_length[i] for i in (0, 11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6)]  # short, long, short, long, ...
    theirs = [np.ptp(ends[:, 1].tolist()) for _, ends in Plain(own).batches(2)]
    mind = learner(mini_mlx(), settings(batch=2), rows=own)
    step = step_rows(own, 1, settings(batch=12), 3)
    ours = [np.ptp([len(row.ids) for row in some]) for some in mind.forward.calls(step, 2)]
    assert sum(theirs) > 40  # it means to sort, but measures the keys of a dictionary
    assert sum(ours) < sum(theirs) / 4


def test_a_pad_is_never_a_target(mini_mlx):
    rows = sorted(rows_of(mini_mlx(), 5), key=lambda row: len(row.ids))
    mind = learner(mini_mlx(), settings(dropout=0), rows=rows)
    supervised = sum(len(row.ids) - row.first for row in rows)
    ids, ends = Plain(rows).batches(5)[0]
    theirs, counted = default_loss(mind.base.model, ids, ends)
    assert counted.item() == supervised + len(rows)
    nats = mind.forward.nats(rows)
    assert len(nats) == supervised
    by_hand = 0.0
    for row in rows:
        logits = mind.base.model(mx.array([row.ids[:-1]]))[0]
        wanted = mx.array(row.ids[1:])
        by_hand += nn.losses.cross_entropy(logits, wanted)[row.first - 1 :].sum().item()
    assert nats.sum().item() == pytest.approx(by_hand, rel=1e-5)
    assert theirs.item() * (supervised + len(rows)) > by_hand * 1.02


def test_accumulated_steps_weigh_tokens_not_batches(mini_mlx, tmp_path):
    rows = sorted(rows_of(mini_mlx(), 8), key=lambda row: len(row.ids))
    pair = [rows[0], rows[-1]]
    assert len(pair[1].ids) - pair[1].first > 2 * (len(pair[0].ids) - pair[0].first)
    one, two = ({"batch_size": 2, "iters": 1}, {"batch_size": 1, "iters": 2, "grad_accumulation_steps": 2})
    theirs = [plain_training(mini_mlx(), pair, tmp_path, **how) for how in (one, two)]
    name = "model.layers.2.self_attn.q_proj.lora_b"
    apart = mx.abs(theirs[0][name] - theirs[1][name]).max() / mx.abs(theirs[0][name]).max()
    assert apart.item() > 0.02
    ours = []
    for batch, accumulation in ((8, 1), (4, 2), (1, 8)):
        asked = settings(batch=batch, accumulation=accumulation, dropout=0, optimizer="sgd", weight_decay=0.0, clip=0)
        mind = learner(mini_mlx(), asked, rows=rows)
        step = mind.step(1, 1.0)
        ours.append((step.nats, step.gradient_norm, mind.weights["model.layers.2.self_attn.q_proj.lora_b"]))
    for nats, norm, weights in ours[1:]:
        assert (nats, norm) == pytest.approx(ours[0][:2], rel=1e-4)
        assert mx.allclose(weights, ours[0][2], atol=1e-5)


def test_a_resumed_training_keeps_its_optimizer(mini_mlx, tmp_path):
    rows = rows_of(mini_mlx(), 1)
    how = {"batch_size": 1}
    whole = plain_training(mini_mlx(), rows, tmp_path, optimizer=optimizers.AdamW(1e-2), iters=4, **how)
    half = plain_training(mini_mlx(), rows, tmp_path, optimizer=optimizers.AdamW(1e-2), iters=2, **how)
    again = plain_training(mini_mlx(), rows, tmp_path, half, optimizers.AdamW(1e-2), iters=2, **how)
    assert not any(mx.allclose(whole[name], again[name], rtol=1e-3) for name in whole if name.endswith("lora_b"))

    engine, asked = open_engine("mlx"), settings(steps=6, checkpoint_every=2, optimizer="adafactor")
    told = list(engine.train(job(mini_mlx(), tmp_path / "whole", asked)))
    for event in engine.train(job(mini_mlx(), tmp_path / "broken", asked)):
        if event.kind == "checkpoint" and event.step == 4:
            break
    resumed = list(engine.train(job(mini_mlx(), tmp_path / "broken", asked)))
    assert (resumed[0].kind, resumed[0].step) == ("start", 4)
    assert course(told)[-3:] == course(resumed)[-3:]
    files = [tmp_path / each / "checkpoint-000006" / "adapters.safetensors" for each in ("whole", "broken")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_best_checkpoint_stays_and_training_stops(mini_mlx, tmp_path):
    assert not {"patience", "keep", "keep_best"} & {field.name for field in fields(TrainingArgs)}
    asked = settings(steps=60, validate_every=1, checkpoint_every=100, patience=2, keep=2, rate=0.3, clip=0)
    events = list(open_engine("mlx").train(job(mini_mlx(), tmp_path, asked)))
    held = {e.step: e.validation_loss for e in events if e.kind == "validation"}
    best = min(held, key=lambda step: held[step])
    assert 0 < best < max(held) < 60
    assert next(e for e in events if e.kind == "stopped").step == best + 2
    assert f"checkpoint-{best:06d}" in {path.name for path in tmp_path.iterdir()}


def test_a_call_too_large_for_memory_is_halved(mini_mlx, monkeypatch):
    rows = rows_of(mini_mlx(), 8)
    enough = learner(mini_mlx(), settings(batch=8), rows=rows).step(1, 1e-2)

    class Small(Forward):
        def nats(self, rows):
            if len(rows) > 2:
                raise RuntimeError("[metal::malloc] Attempting to allocate 1 bytes, greater than the maximum")
            return super().nats(rows)

        def calls(self, rows, most):
            return (rows[i : i + most] for i in range(0, len(rows), most))

    mind = learner(mini_mlx(), settings(batch=8), Small, rows)
    step = mind.step(1, 1e-2)
    assert mind.most == 2
    assert [note.split(":")[0] for note in step.notes] == [f"out of memory with {n} rows at a time" for n in (8, 4)]
    assert step.nats == pytest.approx(enough.nats, rel=0.05)  # dropout is drawn in other shapes
