"""What tells one author's verse from another's: the words they prefer, and where their lines break.

An author's bias is a logarithm to add to a model's logits: of the author's share of a token to the language's (both
among line breaks or both among the rest), and of the author's chance of a line break at this place of the line to the
language's. Both shares are smoothed towards the language's, so that few poems tell little.
"""

from collections import Counter
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from tools.starter.wordings import NAMELESS

LEAST_POEMS = 100
SMOOTHING_TOKENS = 10_000
SMOOTHING_PLACES = 100
PLACES = 13


@dataclass(frozen=True, slots=True)
class Marks:
    """What each token of the vocabulary does to the place in the line, by language."""

    breaks: torch.Tensor  # (tokens,) bool
    units: list[int]  # words (English) or characters (Chinese) that the token begins

    def places(self, ids: list[int]) -> list[int]:
        """Words or characters since the last break before each token, at most `PLACES` - 1."""
        found, place = [], 0
        for token in ids:
            found.append(min(place, PLACES - 1))
            place = 0 if self.breaks[token] else place + self.units[token]
        return found


def marks(tokenizer: PreTrainedTokenizerFast, lang: str) -> Marks:
    """English lines break at a newline; Chinese ones at any punctuation too."""
    texts = [tokenizer.decode([token]) for token in range(len(tokenizer))]
    if lang == "en":
        units = [int(text.startswith(" ") or text[:1].isupper()) for text in texts]
        return Marks(torch.tensor(["\n" in text for text in texts]), units)
    units = [max(1, sum("\u4e00" <= c <= "\u9fff" for c in text)) for text in texts]
    return Marks(torch.tensor([any(c in "\n，。！？；、：" for c in text) for text in texts]), units)


@dataclass(frozen=True, slots=True)
class Voices:
    """The biases of one language's authors."""

    marks: Marks
    poems: dict[str, int]  # author -> number of training poems; its order is that of the tables
    words: torch.Tensor  # (authors, tokens)
    breaks: torch.Tensor  # (authors, PLACES, 2): no break, break

    def bias(self, author: int, ids: list[int], strength: float = 1.0) -> torch.Tensor:
        """What the author's voice, its words `strength` times, adds to the logits of `ids`: (len(ids), tokens)."""
        places = self.breaks[author][torch.tensor(self.marks.places(ids))]
        return strength * self.words[author] + places[:, self.marks.breaks.long()]


def voices(tokenizer: PreTrainedTokenizerFast, rows: list[dict], lang: str, least: int = LEAST_POEMS) -> Voices:
    """Count the voices of the named authors with at least `least` poems among `rows`, all of the language `lang`."""
    count = Counter(row["author"] for row in rows if row["author"] not in NAMELESS)
    poems = {author: number for author, number in sorted(count.items()) if number >= least}
    place_of = {author: i for i, author in enumerate(poems)}
    seen = marks(tokenizer, lang)
    words = torch.zeros(len(poems), len(tokenizer))
    breaks = torch.zeros(len(poems), PLACES * 2)
    known = [row for row in rows if row["author"] in poems]
    for start in range(0, len(known), 1000):
        part = known[start : start + 1000]
        tokens = tokenizer([row["text"] for row in part], add_special_tokens=False)["input_ids"]
        for row, listed in zip(part, tokens, strict=True):
            ids = torch.tensor([*listed, tokenizer.eos_token_id])
            author = place_of[row["author"]]
            words[author] += torch.bincount(ids, minlength=len(tokenizer))
            at = torch.tensor(seen.places(ids.tolist())) * 2 + seen.breaks[ids]
            breaks[author] += torch.bincount(at, minlength=PLACES * 2)
    return Voices(seen, poems, _among_like(words, seen.breaks), _by_place(breaks.view(-1, PLACES, 2)))


def _among_like(counts: torch.Tensor, breaks: torch.Tensor) -> torch.Tensor:
    """Log-ratios of smoothed shares, among the breaks and among the other tokens."""
    usual = (counts / counts.sum(1, keepdim=True)).mean(0) + 1e-9
    usual = usual / usual.sum()
    own = (counts + SMOOTHING_TOKENS * usual) / (counts.sum(1, keepdim=True) + SMOOTHING_TOKENS)
    ratio = torch.log(own) - torch.log(usual)
    for kind in (breaks, ~breaks):
        ratio[:, kind] -= torch.log(own[:, kind].sum(1, keepdim=True)) - torch.log(usual[kind].sum())
    return ratio


def _by_place(counts: torch.Tensor) -> torch.Tensor:
    usual = (counts / counts.sum((1, 2), keepdim=True)).mean(0) + 1e-6
    usual = usual / usual.sum(1, keepdim=True)
    own = (counts + SMOOTHING_PLACES * usual) / (counts.sum(2, keepdim=True) + SMOOTHING_PLACES)
    return torch.log(own) - torch.log(usual)
