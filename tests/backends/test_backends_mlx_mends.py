"""What mlx-lm 0.32 gets wrong in training and this engine does not; each test shows both."""

import shutil

import pytest

pytest.importorskip("mlx_lm")

import mlx.core as mx
import numpy as np
from mlx import nn, optimizers
from mlx_lm.tuner.trainer import default_loss
from mlx_trainings import Plain, course, job, learner, plain_training, rows_of, settings

from poetune.backends import checkpoints
from poetune.backends.mlx.forward import Forward
from poetune.backends.ordering import step_rows
from poetune.backends.table import open_engine
from poetune.ports import ScoreRequest, Weights


def test_every_poem_is_read_once_an_epoch(mini_mlx):
    rows = rows_of(mini_mlx(), 7)
    wanted, theirs = {row.ids for row in rows}, set()
    for _ in range(20):
        theirs |= {
            tuple(one[:end])
            for ids, ends in Plain(rows).batches(2)
            for one, end in zip(ids.tolist(), ends[:, 1].tolist(), strict=True)
        }
    assert theirs < wanted  # in twenty epochs always the same one is left out
    assert len(wanted - theirs) == 1

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


@pytest.fixture(scope="module")
def loud(mini_mlx, tmp_path_factory):
    """A base whose logits are so far apart that two poems by heart cost it the others: validation rises again."""
    folder = tmp_path_factory.mktemp("loud") / "base"
    shutil.copytree(mini_mlx(), folder)
    tensors = dict(mx.load(str(folder / "model.safetensors")))
    tensors["model.norm.weight"] *= 6
    mx.save_safetensors(str(folder / "model.safetensors"), tensors, {"format": "pt"})
    return str(folder)


@pytest.fixture(scope="module")
def overfitted(loud, tmp_path_factory):
    """mlx-lm's own training on two poems: its folder, its last weights, and what validation said at each iteration."""
    folder, told = tmp_path_factory.mktemp("plain"), {}
    often = {"steps_per_eval": 1, "steps_per_save": 4, "val_batches": -1}
    how = {"keys": ("q_proj", "down_proj"), "batch_size": 2, "iters": 16, **often}
    held = rows_of(loud, split="validation")
    last = plain_training(loud, rows_of(loud, 2), folder, None, optimizers.AdamW(0.02), held, told, **how)
    return folder, last, told


def overfitting(loud, folder, **more):
    """The same case for the mlx engine."""
    asked = {
        "batch": 2,
        "steps": 16,
        "validate_every": 1,
        "rate": 0.02,
        "schedule": "constant",
        "clip": 0,
        "dropout": 0,
    }
    return job(loud, folder, settings(**asked | more), count=2)


def test_the_best_checkpoint_stays(loud, tmp_path, overfitted):
    folder, last, told = overfitted
    best = min(told, key=told.get)
    assert 0 < best < max(told)
    assert told[best] < told[max(told)] - 0.2
    stays = mx.load(str(folder / "adapters.safetensors"))
    assert all(mx.array_equal(stays[name], last[name]) for name in last)  # the last, whatever validation said
    assert best not in {int(path.name[:7]) for path in folder.glob("0*")}

    todo, engine = overfitting(loud, tmp_path, checkpoint_every=1, keep=1), open_engine("mlx")
    held = {e.step: e.validation_loss for e in engine.train(todo) if e.kind == "validation"}
    best = min(held, key=held.get)
    assert 0 < best < 16
    assert held[best] < held[16] - 0.2
    kept = checkpoints.found(tmp_path)
    assert [each.note.step for each in kept] == [best, 16]
    assert checkpoints.best(kept).note.step == best
    validation = [example for example in todo.examples if example.split == "validation"]
    for each in kept:
        weights = Weights(loud, str(each.folder))
        scores = engine.score([ScoreRequest(weights, e.completion, e.conversation) for e in validation])
        loss = -sum(s.log_likelihood for s in scores) / sum(s.tokens for s in scores)
        assert loss == pytest.approx(held[each.note.step], rel=1e-4)


def test_training_stops_where_validation_gains_no_more(loud, tmp_path, overfitted):
    _, _, told = overfitted
    best = min(told, key=told.get)
    assert max(told) == 15  # all its iterations, however long ago the best was
    assert max(told) - best > 3

    events = list(open_engine("mlx").train(overfitting(loud, tmp_path, checkpoint_every=100, patience=3, keep=1)))
    held = {e.step: e.validation_loss for e in events if e.kind == "validation"}
    best = min(held, key=held.get)
    assert best > 0
    assert max(held) == best + 3 < 16
    assert next(e for e in events if e.kind == "stopped").step == best + 3
    assert [each.note.step for each in checkpoints.found(tmp_path)] == [best, best + 3]


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
