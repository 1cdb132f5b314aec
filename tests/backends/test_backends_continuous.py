"""The queue: poems enter and leave the batch, and each is what it would be alone."""

import pytest

torch = pytest.importorskip("torch")

import mmap  # noqa: E402
from pathlib import Path  # noqa: E402

from trainings import ASKED  # noqa: E402

from poetune.backends.poem import PoemRow  # noqa: E402
from poetune.backends.torch import continuous, fused, loading, room, slots  # noqa: E402
from poetune.backends.torch.blocks import block_of  # noqa: E402
from poetune.backends.torch.placeholders import layers_of  # noqa: E402
from poetune.ports import Request, Weights  # noqa: E402
from poetune.records import Conversation, Message, Sampling  # noqa: E402

pytestmark = pytest.mark.torch
FAMILIES = ["llama", "qwen2", "qwen3", "gpt2", "gpt_neo"]


def rows(base, count=7, **law):
    out = []
    for i in range(count):
        asked = Conversation((Message("user", "rain " * (1 + i % 3)),))
        law_here = Sampling(**{"temperature": 1.0, "repetition_penalty": 1.3, "max_tokens": 4 + 5 * i} | law)
        out.append(PoemRow(base.renderer, base.context, Request(str(i), Weights(""), asked, law_here, i)))
    return out


def written(base, given, batch):
    return {each.id: (each.text, each.stop) for each in continuous.write_queue(base, given, batch)}


@pytest.mark.parametrize("architecture", FAMILIES)
def test_a_poem_is_the_same_alone_in_a_queue_and_in_a_batch(mini, architecture):
    base = loading.load(Path(mini(architecture)), torch.device("cpu"))
    alone = {}
    for i in range(7):
        alone |= written(base, [rows(base)[i]], 1)
    assert len({text for text, _ in alone.values()}) > 3
    assert written(base, rows(base), 3) == alone  # rows enter while others are half-way
    assert written(base, rows(base)[::-1], 7) == alone


@pytest.mark.parametrize("architecture", FAMILIES)
def test_what_prompts_begin_with_is_read_once(mini, monkeypatch, architecture):
    base = loading.load(Path(mini(architecture)), torch.device("cpu"))

    def asked():
        words = [Conversation((Message("user", "rain on the river " * 4 + word),)) for word in ("salt", "a b", "c")]
        law = Sampling(max_tokens=12)
        return [
            PoemRow(base.renderer, base.context, Request(str(i), Weights(""), c, law, i)) for i, c in enumerate(words)
        ]

    alone = {}
    for i in range(3):
        alone |= written(base, [asked()[i]], 1)
    laid, plain = [], slots.Slots._read
    monkeypatch.setattr(
        slots.Slots, "_read", lambda self, x, *how: laid.append((len(x), how[0])) or plain(self, x, *how)
    )
    assert written(base, asked(), 3) == alone
    prompts = [row.prompt for row in asked()]
    begun = laid[0][1]
    assert begun > 8
    assert len({tuple(prompt[:begun]) for prompt in prompts}) == 1
    assert {tokens for tokens, _ in laid} == {sum(map(len, prompts)) - 2 * begun}


@pytest.mark.parametrize("architecture", FAMILIES)
def test_greedy_tokens_are_those_of_transformers(mini, architecture):
    base = loading.load(Path(mini(architecture)), torch.device("cpu"))
    base.renderer.stops = frozenset()
    given = rows(base, temperature=0.0, repetition_penalty=1.0)
    written(base, given, 3)
    for row in given:
        ids = torch.tensor([row.prompt])
        most = len(row.poem)
        out = base.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, do_sample=False, eos_token_id=None,
            suppress_tokens=base.renderer.unwritable,
        )  # fmt: skip
        assert out[0, len(row.prompt) :].tolist() == row.poem


@pytest.mark.parametrize("together", [1, 3, 100])
def test_however_many_rows_attend_in_one_call_each_reads_its_own_places(mini, monkeypatch, together):
    base = loading.load(Path(mini("qwen2")), torch.device("cpu"))
    expected = written(base, rows(base), 7)
    monkeypatch.setattr(slots, "_TOGETHER", together)
    assert written(base, rows(base), 7) == expected


@pytest.mark.parametrize("grows", [False, True])
def test_rows_that_move_take_their_places_along(grows):
    like, at = torch.zeros(1), torch.device("meta" if grows else "cpu")
    if grows:  # as on a GPU, where memory is taken as it is needed
        like = type("Like", (), {"device": at, "new_zeros": staticmethod(torch.zeros)})()
    kept = room.Room(2, 5, 2, 3, 90, like)
    lengths, told = [4, 9, 1, 7, 2], {}
    for row, length in enumerate(lengths):
        kept.reach(length + 1)
        for layer in range(2):
            told[layer, row] = torch.randn(length, 2, 3)
            kept.put(layer, row, told[layer, row])
    kept.reach(80)
    order = [1, 3, 0, 4, 2]
    kept.permute(order, [lengths[i] for i in order])
    kept.move(0, 4, 9)
    for here, was in enumerate([*order[:4], 1]):
        for layer in range(2):
            assert torch.equal(kept.layers[layer][here, :, : lengths[was]].transpose(0, 1), told[layer, was])


@pytest.mark.skipif(not hasattr(mmap, "MADV_NOHUGEPAGE"), reason="pages are given back on Linux")
def test_pages_are_given_back_where_a_row_ends_or_gets_shorter():
    heads, most, size = 2, 512, 64  # a page holds 16 places
    kept = room.Room(1, 3, heads, size, most, torch.zeros(1))
    (buffer,) = kept.layers
    lengths = [400, 30, 200]
    for row, length in enumerate(lengths):
        buffer[row, :, :length] = row + 1
        kept.took(row, length)

    def there():
        return [[int((buffer[row, head, :, 0] != 0).sum()) for head in range(heads)] for row in range(3)]

    kept.permute([1, 2, 0], [30, 200, 400])  # the first row has 32 places' pages left of 400, the second one grew
    assert there() == [[32, 32], [200, 200], [400, 400]]
    assert bool((buffer[0, :, :30] == 2).all())
    assert bool((buffer[2, :, :400] == 1).all())
    kept.trim(2, 0)
    assert there() == [[32, 32], [200, 200], [0, 0]]
    kept.trim(1, 190)  # ten places are not worth a call
    assert there()[1] == [200, 200]


def test_whoever_ends_makes_room_at_once(mini, monkeypatch):
    base = loading.load(Path(mini("llama")), torch.device("cpu"))
    busy = []
    plain = slots.Slots.step
    monkeypatch.setattr(slots.Slots, "step", lambda self, tokens: busy.append(len(self.seats)) or plain(self, tokens))
    base.renderer.stops = frozenset()
    lengths = [40, 4, 4, 4, 4, 4, 4, 4, 4]
    asked = [Request(str(i), Weights(""), ASKED, Sampling(max_tokens=n), i) for i, n in enumerate(lengths)]
    given = [PoemRow(base.renderer, base.context, request) for request in asked]
    list(continuous.write_queue(base, given, 2))
    assert len(busy) < 45  # the long poem's steps; in batches of two it would be 39 + 4 x 3 more
    assert sum(busy) == sum(n - 1 for n in lengths)


def test_a_poem_ends_before_a_stop_sequence(mini):
    base = loading.load(Path(mini("llama")), torch.device("cpu"))
    whole = rows(base, 7, repetition_penalty=1.0)[6]
    text = next(iter(continuous.write_queue(base, [whole], 1))).text
    stop = text[len(text) // 2 :][:3]
    cut = rows(base, 7, repetition_penalty=1.0, stop=(stop, "never"))[6]
    found = next(iter(continuous.write_queue(base, [cut], 1)))
    assert found.stop == "sequence"
    assert text.startswith(found.text)
    assert stop not in found.text


def test_characters_spread_over_tokens_come_out_whole_wherever_a_poem_is_cut(mini, monkeypatch):
    base = loading.load(Path(mini("llama")), torch.device("cpu"))
    text = "瓦上有𠮷鸟，\n灯很低。"
    ids = base.renderer.completion(text)
    assert any("\ufffd" in base.renderer.decode([i]) for i in ids)
    for most in range(1, len(ids) + 2):
        told = iter([*ids, base.renderer.eos])
        monkeypatch.setattr(continuous, "draw", lambda *_, told=told: torch.tensor([next(told)]))
        request = Request("a", Weights(""), ASKED, Sampling(max_tokens=most), 0)
        (found,) = continuous.write_queue(base, [PoemRow(base.renderer, base.context, request)], 1)
        assert "\ufffd" not in found.text
        assert text.startswith(found.text)
        assert found.stop == ("eos" if most > len(ids) else "length")
    assert found.text == text


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gpt_neo"])
def test_joined_or_apart_products_write_the_same(mini, monkeypatch, architecture):
    base = loading.load(Path(mini(architecture)), torch.device("cpu"))
    decoder = base.model.base_model
    attention = layers_of(decoder)[0].get_submodule(block_of(decoder).attention)
    apart = attention.q_proj.weight.data_ptr(), attention.k_proj.weight.data_ptr()
    monkeypatch.setattr(fused, "_SMALL", 0)
    expected = written(base, rows(base), 3)
    assert apart == (attention.q_proj.weight.data_ptr(), attention.k_proj.weight.data_ptr())
    monkeypatch.undo()
    assert written(base, rows(base), 3) == expected
    joined = attention.k_proj.weight.data_ptr() - attention.q_proj.weight.data_ptr()
    assert joined == attention.q_proj.weight.nbytes
    attention.v_proj.weight.data.zero_()  # what changes a module changes the product
    assert written(base, rows(base), 3) != expected


@pytest.mark.parametrize("architecture", FAMILIES)
def test_a_poem_is_cut_where_the_base_has_no_more_positions(mini, architecture):
    base = loading.load(Path(mini(architecture)), torch.device("cpu"))
    base.renderer.stops = frozenset()

    def row(words, limit):
        asked = Conversation((Message("user", "rain " * words),))
        request = Request(f"{words}", Weights(""), asked, Sampling(max_tokens=limit), 0)
        return PoemRow(base.renderer, base.context, request)

    near = next(n for n in range(1, 400) if len(row(n, 1).prompt) > base.context - 12)
    given = [row(near, 60), row(1, 30), row(400, 5)]
    found = {each.id: each for each in continuous.write_queue(base, given, 2)}
    assert len(given[0].prompt) + len(given[0].poem) == base.context
    assert [found[row.request.id].stop for row in given] == ["length", "length", "error"]
    assert len(given[1].poem) == 30
