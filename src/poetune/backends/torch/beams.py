"""Beam search, one poem at a time, by transformers; with a temperature the beams are sampled under the row's seed."""

from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from poetune.backends.endings import first_of, full_lines
from poetune.backends.poem import NGrams, PoemRow
from poetune.backends.torch.loading import Base
from poetune.backends.torch.penalties import Repetition
from poetune.ports import Written


class _House(LogitsProcessor):  # type: ignore[misc]
    """Our own penalties, so that beams and draws treat a poem alike. Scores come as log-probabilities."""

    def __init__(self, base: Base, row: PoemRow) -> None:
        self.base, self.row, self.start = base, row, len(row.prompt) - row.opened

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        scores, sampling, renderer = scores.clone(), self.row.sampling, self.base.renderer
        scores[:, len(renderer.tokenizer) :] = -torch.inf
        scores[:, [i for i in renderer.unwritable if i < scores.shape[1]]] = -torch.inf
        poems = input_ids[:, self.start :].tolist()
        spared = [*renderer.line_break_ids, *renderer.stops]
        if poems[0]:
            Repetition(poems, [sampling.repetition_penalty] * len(poems), spared, scores.device).apply(scores)
        for i, poem in enumerate(poems) if sampling.no_repeat_ngram else ():
            scores[i, list(NGrams(sampling.no_repeat_ngram, poem).banned(poem))] = -torch.inf
        return scores


def write_beams(base: Base, row: PoemRow) -> Written:
    """The best beam of one request; a limit in lines cuts it afterwards."""
    if row.stop:
        return row.result()
    sampling = row.sampling
    warm = {"temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p}
    config = GenerationConfig(
        do_sample=sampling.temperature > 0,
        num_beams=sampling.beams,
        max_new_tokens=row.limit,
        eos_token_id=sorted(base.renderer.stops),
        pad_token_id=base.renderer.eos,
        bos_token_id=None,
        **(warm if sampling.temperature > 0 else {}),
    )
    ids = torch.tensor([row.prompt], device=base.device)
    devices = [base.device.index or 0] if base.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.inference_mode():
        torch.manual_seed(row.request.seed % 2**63)
        out = base.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            generation_config=config,
            logits_processor=LogitsProcessorList([_House(base, row)]),
        )
    new = out[0, len(row.prompt) :].tolist()
    end = next((i for i, token in enumerate(new) if token in base.renderer.stops), None)
    row.poem += new if end is None else new[:end]
    row.stop = "length" if end is None else "eos"
    if sampling.max_lines and full_lines(row.whole()) >= sampling.max_lines:
        row.stop = "lines"
    if first_of(row.whole(), sampling.stop) is not None:
        row.stop = "sequence"
    return row.result()
