"""The decoder that writes: the logits of transformers, for prompts, steps and adapters, in every architecture."""

import pytest

torch = pytest.importorskip("torch")

from pathlib import Path  # noqa: E402

from poetune.backends.torch import adapters, blocks, loading  # noqa: E402
from poetune.backends.torch.bank import Bank, read_lora  # noqa: E402
from poetune.backends.torch.slots import Slots  # noqa: E402
from poetune.recipe import Finetune  # noqa: E402

pytestmark = pytest.mark.torch
ARCHITECTURES = ["llama", "qwen2", "qwen2_sliding", "qwen3", "mistral", "gpt2", "gpt_neo"]
LENGTHS = [3, 19, 11]  # of prompts, on both sides of the windows of 8 tokens
TOTAL = 40


def base_of(mini, architecture):
    return loading.load(Path(mini(architecture)), torch.device("cpu"))


def logits_of(base, texts, bank=None, wears=(-1, -1, -1)):
    """Logits (positions, vocabulary) of each text from the last token of its prompt on, written beside the others."""
    found = [[] for _ in texts]
    with torch.inference_mode():
        slots = Slots(base, len(texts), TOTAL, bank)

        def keep(seats, hidden):
            for seat, each in zip(seats, base.model.get_output_embeddings()(hidden), strict=True):
                found[seat].append(each)

        keep([0, 1], slots.enter([0, 1], [texts[i][: LENGTHS[i]] for i in (0, 1)], wears[:2]))
        for step in range(TOTAL):
            if step == 5:  # one comes later, and one leaves
                keep([2], slots.enter([2], [texts[2][: LENGTHS[2]]], wears[2:]))
            if not slots.seats:
                break
            read = dict(zip(slots.seats, slots.lengths, strict=True))
            following = torch.tensor([text[min(read.get(i, 0), TOTAL - 1)] for i, text in enumerate(texts)])
            seats = list(slots.seats)
            keep(seats, slots.step(following))
            slots.leave([seat for seat in seats if read[seat] + 1 == TOTAL])
    return [torch.stack(each) for each in found]


def texts_of(begun):
    ids = torch.randint(4, 330, (3, TOTAL), generator=torch.Generator().manual_seed(1))
    ids[:, :begun] = ids[0, :begun]
    return ids.tolist()


def expected(model, text, length):
    with torch.inference_mode():
        return model(input_ids=torch.tensor([text]), use_cache=False).logits[0, length - 1 :]


def close(found, told):
    assert found.shape == told.shape
    off = (found - told).abs() / told.abs().max()
    assert float(off.mean()) < 3e-6
    assert float(off.max()) < 2e-4  # the miniatures' loud weights make attention sharp, which magnifies a rounding


@pytest.mark.parametrize("begun", [0, 2])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_are_those_of_transformers(mini, monkeypatch, architecture, begun):
    monkeypatch.setattr("poetune.backends.torch.filling._WORTH", 1)
    base = base_of(mini, architecture)
    texts = texts_of(begun)
    for text, length, found in zip(texts, LENGTHS, logits_of(base, texts), strict=True):
        close(found, expected(base.model, text, length))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_under_adapters_are_those_of_peft(mini, tmp_path, architecture):
    base, texts = base_of(mini, architecture), texts_of(0)
    torch.manual_seed(3)
    folders = []
    for rank, layers in ((2, 2), (3, 0)):
        settings = Finetune(rank=rank, modules=["all-linear"], **({"layers": layers} if layers else {}))
        worn = adapters.attach(base.model, adapters.lora_config(base.model, settings, ""))
        for name, parameter in worn.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.1)
        folders.append(tmp_path / str(rank))
        adapters.save(worn, folders[-1])
        base.model = adapters.take_off(worn)
    loras = [read_lora(folder) for folder in folders]
    wears = [1, -1, 0]
    found = logits_of(base, texts, Bank(loras, base.model.get_input_embeddings().weight), wears)
    upper = logits_of(base, texts, Bank(loras[:1], base.model.get_input_embeddings().weight), [0, 0, 0])
    for text, length, own, each in zip(texts, LENGTHS, wears, found, strict=True):
        told = expected(base.model, text, length)
        if own >= 0:
            worn = adapters.attach_saved(base.model, folders[own], trains=False)
            under = expected(worn.eval(), text, length)
            base.model = adapters.take_off(worn)
            assert not torch.allclose(told, under, atol=0.1)
            told = under
        close(each, told)
    worn = adapters.attach_saved(base.model, folders[0], trains=False)
    for text, length, each in zip(texts, LENGTHS, upper, strict=True):
        close(each, expected(worn.eval(), text, length))


def test_what_a_description_does_not_name_is_not_described(mini):
    decoder = base_of(mini, "gpt2").model.base_model
    assert blocks.block_of(decoder)
    layer = decoder.h[1].mlp
    layer.c_fc = type("Quantized", (type(layer.c_fc),), {})(64, 32)
    assert blocks.block_of(decoder) is None
    decoder = base_of(mini, "llama").model.base_model
    decoder.config.layer_types = ["full_attention", "chunked_attention", "full_attention"]
    assert blocks.block_of(decoder) is None
