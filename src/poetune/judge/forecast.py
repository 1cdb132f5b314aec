"""What a contest will cost, before anything is sent: a range, since servers keep their tokenizers to themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from poetune.judge import budget
from poetune.judge.blocks import Entry
from poetune.judge.contest import contest_calls
from poetune.judge.prompting import size
from poetune.judge.rubric import Rubric
from poetune.ports import Block
from poetune.recipe import Judging
from poetune.records import Call

_BYTES_A_TOKEN = (4.8, 2.4)  # English prose reads at 4 to 4.8 bytes a token, Chinese at 2.4 to 4
_ANSWER = (80, 700)  # tokens of three sentences and a ranking; of a judge that thinks first
_REASKED = 0.05
_ENOUGH = 10  # answered calls from which their own tokens say more than a guess


@dataclass(frozen=True, slots=True)
class Range:
    """From the least to the most that is likely."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls still to be made, and what they are likely to take. `money` is None where no price is known."""

    calls: int
    tokens: Range
    money: Range | None
    measured: bool


def estimate(
    entries: Sequence[Entry], rubric: Rubric, settings: Judging, model: str, answered: int, earlier: Sequence[Call]
) -> Estimate:
    """`answered` calls of the contest are there already; `earlier` are answered calls to the same model."""
    calls = max(0, contest_calls(entries, settings) - answered)
    bytes_each = _bytes_a_call(entries, rubric, settings)
    prompts = Range(bytes_each / _BYTES_A_TOKEN[0], bytes_each / _BYTES_A_TOKEN[1])
    answers = Range(*_ANSWER)
    if len(earlier) >= _ENOUGH:
        answers = Range(*np.quantile([c.completion_tokens for c in earlier], (0.25, 0.95)))
    most = calls * (1 + _REASKED)
    tokens = Range(calls * (prompts.low + answers.low), most * (prompts.high + answers.high))
    price = budget.price_of(model, settings)
    money = None
    if price is not None:
        least = budget.money(price, round(calls * prompts.low), round(calls * answers.low))
        money = Range(least, budget.money(price, round(most * prompts.high), round(most * answers.high)))
    return Estimate(calls, tokens, money, len(earlier) >= _ENOUGH)


def _bytes_a_call(entries: Sequence[Entry], rubric: Rubric, settings: Judging) -> float:
    """Of a block of average poems under the rubric."""
    if not entries:
        return 0.0
    empty = size(Block(("x",), ("",), ("",)), rubric)
    one = mean(size(Block((e.id,), (e.title,), (e.text,)), rubric) - empty for e in entries)
    return empty + min(settings.batch, len(entries)) * (one + 50)  # its fences
