"""What every engine must keep; `case` is each engine in turn, with a model that it trained."""

from dataclasses import replace
from itertools import pairwise

import pytest
from contract_cases import POEMS, ask, examples

from poetune.errors import EngineError
from poetune.ports import Generator, Mix, Request, ScoreRequest, Trainer, Weights
from poetune.records import Conversation, Sampling

SAMPLING = Sampling(temperature=0.9, top_p=0.95, max_tokens=30)


def requests(case, count=9, sampling=SAMPLING):
    themes = ("rain", "a long river by night", "灯")
    return [
        Request(f"r{i}", case.trained if i % 2 else Weights(case.base), ask(themes[i % 3]), sampling, 100 + i)
        for i in range(count)
    ]


def write(case, wanted):
    return {w.id: w for w in case.engine.generate(wanted)}


def test_doors(case):
    assert isinstance(case.engine, Generator)
    assert isinstance(case.engine, Trainer) == bool(case.engine.capabilities.trains)
    assert case.engine.capabilities.name == case.name


def test_a_poem_depends_on_its_own_seed_only(case):
    wanted = requests(case)
    together = write(case, wanted)
    assert len(together) == len(wanted)
    assert write(case, wanted) == together
    assert write(case, reversed(wanted)) == together
    for one in wanted[:4]:
        assert write(case, [one]) == {one.id: together[one.id]}
    assert write(case, [replace(wanted[0], seed=5)])["r0"].text != together["r0"].text


def test_stop_reasons_tell_the_truth(case):
    short = write(case, requests(case, 6, replace(SAMPLING, max_tokens=3)))
    assert all((w.stop == "eos" and w.tokens <= 3) or (w.stop == "length" and w.tokens == 3) for w in short.values())
    assert "length" in {w.stop for w in short.values()}
    long = Sampling(temperature=0.7, top_p=0.8, repetition_penalty=1, max_tokens=200)
    written = write(case, [Request(str(i), case.trained, ask(), long, i) for i in range(12)]).values()
    assert all((w.tokens == 200) == (w.stop == "length") for w in written)
    assert any(w.stop == "eos" and w.text for w in written)


def test_lines_limit_cuts_at_a_whole_line(case):
    long = replace(SAMPLING, max_tokens=120, max_lines=1)
    for written in write(case, [Request(str(i), case.trained, ask(), long, i) for i in range(8)]).values():
        assert "\n" not in written.text.strip() or written.stop != "lines"
    assert any(w.stop == "lines" for w in write(case, requests(case, 12, long)).values())


def test_poems_are_given_out_as_they_are_done(case):
    stream = case.engine.generate(requests(case, 6, replace(SAMPLING, max_tokens=200)))
    first = next(stream)
    score = case.engine.score([ScoreRequest(Weights(case.base), "rain")])  # another use in between must not disturb
    rest = {w.id: w for w in stream}
    assert {first.id: first} | rest == write(case, requests(case, 6, replace(SAMPLING, max_tokens=200)))
    assert score == case.engine.score([ScoreRequest(Weights(case.base), "rain")])


def test_a_prefix_is_read_last_and_not_written_again(case):
    prefix = "The rain came"
    ids = case.engine.render(case.trained, ask(prefix=prefix))
    bare = case.engine.render(case.trained, ask())
    assert ids[: len(bare)] == bare
    assert len(ids) > len(bare)
    other = case.engine.render(case.trained, ask(prefix="The lamp came"))
    assert other[: len(bare)] == bare
    assert other != ids
    long = replace(SAMPLING, temperature=0.3, max_tokens=80)
    for seed in range(4):
        rest = write(case, [Request("w", case.trained, ask(prefix=prefix), long, seed)])["w"]
        assert not rest.text.startswith(prefix)
        assert rest.tokens <= 80


def test_a_raw_prompt_is_read_literally(case):
    raw = case.engine.render(case.trained, Conversation(raw="Write of rain:"))
    assert raw != case.engine.render(case.trained, ask())
    assert case.engine.render(case.trained, Conversation(raw="Write of rain:\n"))[: len(raw) - 1] == raw[:-1]


def test_score_is_a_log_likelihood_with_its_end(case):
    texts = [*POEMS, "The rain", "xyzzy qqq"]
    asked = [ScoreRequest(case.trained, text, ask()) for text in texts]
    scores = case.engine.score(asked)
    assert all(s.log_likelihood < 0 for s in scores)
    alone = [case.engine.score([one])[0] for one in asked]
    assert [s.tokens for s in alone] == [s.tokens for s in scores]
    assert [s.log_likelihood for s in alone] == pytest.approx([s.log_likelihood for s in scores], rel=1e-4)
    empty = case.engine.score([ScoreRequest(case.trained, "", ask())])[0]
    assert empty.tokens == 1  # the end itself
    plain = case.engine.score([ScoreRequest(case.trained, POEMS[0], plain=True)])[0]
    assert plain.tokens == scores[0].tokens
    assert plain.log_likelihood != scores[0].log_likelihood


def test_training_makes_its_text_likelier(case):
    before = case.engine.score([ScoreRequest(Weights(case.base), text, ask()) for text in POEMS])
    after = case.engine.score([ScoreRequest(case.trained, text, ask()) for text in POEMS])
    assert all(b.log_likelihood < a.log_likelihood for b, a in zip(before, after, strict=True))


def test_training_tells_its_course_and_leaves_checkpoints(case, tmp_path):
    events = list(case.engine.train(case.job(tmp_path)))
    assert (events[0].kind, events[0].step, events[0].total) == ("start", 0, 12)
    assert [e.step for e in events if e.kind == "train"] == [3, 6, 9, 12]
    assert [e.step for e in events if e.kind == "validation"] == [0, 6, 12]
    kept = [e for e in events if e.kind == "checkpoint"]
    assert [e.step for e in kept] == [5, 10, 12]
    assert all(e.folder.is_dir() and (e.folder / "poetune.json").is_file() for e in kept)
    held = [e.validation_loss for e in events if e.kind == "validation"]
    seen = [e.loss for e in events if e.kind == "train" and e.loss is not None]
    assert held[-1] < held[0]
    assert seen[-1] < held[0]
    assert kept[-1].validation_loss == held[-1]


def test_validation_at_step_0_is_the_loss_of_the_base(case, tmp_path):
    event = next(e for e in case.engine.train(case.job(tmp_path)) if e.kind == "validation")
    held = next(e for e in examples() if e.split == "validation")
    score = case.engine.score([ScoreRequest(Weights(case.base), held.completion, held.conversation)])[0]
    assert event.validation_loss == pytest.approx(-score.log_likelihood / score.tokens, rel=1e-4)


def test_a_finished_run_trains_nothing_more(case, tmp_path):
    first = list(case.engine.train(case.job(tmp_path)))
    stamp = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    again = list(case.engine.train(case.job(tmp_path)))
    assert {e.kind for e in again} == {"start", "checkpoint"}
    assert again[0].step == again[0].total == 12
    assert [e for e in again if e.kind == "checkpoint"] == [e for e in first if e.kind == "checkpoint"]
    assert stamp == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("stop_at", "goes_on_from"), [(1, 0), (5, 5), (8, 5)])
def test_an_abandoned_run_goes_on_to_the_same_losses(case, tmp_path, stop_at, goes_on_from):
    def course(events):
        return {
            (e.kind, e.step): (e.loss, e.validation_loss, e.rate) for e in events if e.kind in ("train", "validation")
        }

    whole = course(case.engine.train(case.job(tmp_path / "whole")))
    broken = []
    for event in case.engine.train(case.job(tmp_path / "broken")):
        broken.append(event)
        if event.step >= stop_at:
            break
    resumed = list(case.engine.train(case.job(tmp_path / "broken")))
    assert resumed[0].step == goes_on_from
    assert course(broken) | course(resumed) == whole
    assert all(whole[key] == value for key, value in course(broken).items())
    assert same_weights(case, tmp_path)


def same_weights(case, tmp_path):
    asked = [
        [ScoreRequest(Weights(case.base, str(tmp_path / which / "checkpoint-000012")), text, ask()) for text in POEMS]
        for which in ("whole", "broken")
    ]
    return case.engine.score(asked[0]) == case.engine.score(asked[1])


def test_only_the_limit_stays_with_latest_and_best(case, tmp_path):
    events = list(case.engine.train(case.job(tmp_path, checkpoint_every=2, validate_every=2, keep=2)))
    there = {p.name for p in tmp_path.iterdir()}
    gone = {e.folder.name for e in events if e.kind == "removed"}
    made = [e for e in events if e.kind == "checkpoint"]
    best = min(made, key=lambda e: e.validation_loss)
    assert there == {e.folder.name for e in made} - gone
    assert {made[-1].folder.name, best.folder.name} <= there
    assert len(there) == 2


def test_sample_poems_leave_the_training_as_it_is(case, tmp_path):
    def course(events):
        return [(e.kind, e.step, e.loss, e.validation_loss) for e in events if e.kind in ("train", "validation")]

    silent = case.job(tmp_path / "silent", sample_every=5)
    asked = [Request(f"s{i}", Weights(case.base), ask(), SAMPLING, i) for i in range(2)]
    told = list(case.engine.train(replace(silent, folder=tmp_path / "told", samples=asked)))
    samples = [e for e in told if e.kind == "sample"]
    assert [(e.step, e.request) for e in samples] == [(5, "s0"), (5, "s1"), (10, "s0"), (10, "s1")]
    last = {
        w.id: w.text for w in case.engine.generate([replace(one, weights=_at(case, tmp_path, 10)) for one in asked])
    }
    assert last == {e.request: e.text for e in samples[2:]}
    assert course(told) == course(case.engine.train(silent))


def _at(case, tmp_path, step):
    return Weights(case.base, str(tmp_path / "told" / f"checkpoint-{step:06d}"))


def test_another_run_in_the_same_folder_is_refused(case, tmp_path):
    list(case.engine.train(case.job(tmp_path, steps=2, checkpoint_every=1)))
    with pytest.raises(EngineError, match="other data or settings"):
        list(case.engine.train(case.job(tmp_path, steps=2, checkpoint_every=1, rate=1e-4)))


def test_merged_weights_score_the_same(case, tmp_path):
    case.engine.merge(case.trained, tmp_path / "merged")
    asked = [ScoreRequest(case.trained, text, ask()) for text in POEMS]
    merged = [replace(one, weights=Weights(str(tmp_path / "merged"))) for one in asked]
    a, b = case.engine.score(asked), case.engine.score(merged)
    assert [s.tokens for s in a] == [s.tokens for s in b]
    assert [s.log_likelihood for s in a] == pytest.approx([s.log_likelihood for s in b], rel=1e-5)
    with pytest.raises(EngineError, match="there already"):
        case.engine.merge(case.trained, tmp_path / "merged")


def test_an_adapter_blended_with_itself_is_itself(case, tmp_path):
    if not case.engine.capabilities.blends:
        with pytest.raises(EngineError, match=f"{case.name} cannot blend"):
            case.engine.blend(Mix((case.trained,), (1.0,)), tmp_path / "blend")
        return
    case.engine.blend(Mix((case.trained, case.trained), (0.75, 0.25)), tmp_path / "blend")
    asked = [ScoreRequest(w, POEMS[0], ask()) for w in (case.trained, Weights(case.base, str(tmp_path / "blend")))]
    before, after = case.engine.score(asked)
    assert after.log_likelihood == pytest.approx(before.log_likelihood, rel=1e-4)
    assert after.tokens == before.tokens


def test_needs_are_told_before_anything_is_loaded(case, tmp_path):
    needs = case.engine.needs(case.job(tmp_path / "never"))
    assert needs.parameters > 0
    assert 0 < needs.trained <= needs.parameters
    assert needs.memory > 0
    assert needs.seconds > 0
    assert needs.notes
    assert not (tmp_path / "never").exists()


def test_what_an_engine_cannot_do_it_refuses_by_name(case, tmp_path):
    can = case.engine.capabilities
    for method in {"lora", "rslora", "dora", "full"} - can.trains:
        with pytest.raises(EngineError, match=f"{case.name}.*{method}"):
            list(case.engine.train(case.job(tmp_path, method=method)))
    if not can.beams:
        with pytest.raises(EngineError, match=f"{case.name}.*beams"):
            list(case.engine.generate(requests(case, 1, replace(SAMPLING, beams=3))))
    assert not list(tmp_path.iterdir())


def test_an_adapter_of_another_base_is_refused(case, tmp_path):
    case.engine.merge(case.trained, tmp_path / "other")
    with pytest.raises(EngineError, match="another base"):
        case.engine.score([ScoreRequest(Weights(str(tmp_path / "other"), case.trained.adapter), "rain")])
    with pytest.raises(EngineError):
        case.engine.score([ScoreRequest(Weights(case.base, str(tmp_path / "nowhere")), "rain")])


def test_a_poem_ends_before_a_stop_sequence(case):
    law = replace(SAMPLING, max_tokens=40, beams=1)
    asked = {request.id: request for request in requests(case, 3, law)}
    for poem in list(case.engine.generate(asked.values())):
        request = asked[poem.id]
        if len(poem.text) < 6:
            continue
        stop = poem.text[len(poem.text) // 2 :][:2]
        (cut,) = case.engine.generate([replace(request, sampling=replace(law, stop=(stop,)))])
        assert cut.stop == "sequence"
        assert poem.text.startswith(cut.text)
        assert stop not in cut.text
        return
    pytest.fail("no poem was long enough to be cut")


def test_a_poem_is_heard_as_it_grows(case):
    heard = {}
    law = replace(SAMPLING, max_tokens=60, max_lines=3, stop=("ga", "的"), beams=1)
    wanted = [
        *requests(case, 6, law),
        Request("on", case.trained, ask("灯", prefix="雨落在"), law, 3),
    ]
    alone = write(case, wanted)
    listening = [replace(each, heard=heard.setdefault(each.id, []).append) for each in wanted]
    assert write(case, listening) == alone
    for id_, texts in heard.items():
        assert all(later.startswith(sooner) for sooner, later in pairwise([*texts, alone[id_].text]))
    assert any(len(set(texts)) > 5 for texts in heard.values())
