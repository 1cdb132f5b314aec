"""What judging may cost: a call is reserved at the most it can take before it is sent, and settled by what it took."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from poetune.errors import JudgeError
from poetune.ports import Ballot
from poetune.recipe import Judging, Price
from poetune.records import Call

_UNSEEN = 64  # tokens that a server's own template may add


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls, tokens read and written, and money; reserved ones at their most."""

    calls: int = 0
    tokens: int = 0
    money: float = 0.0


def spent(calls: Iterable[Call]) -> Spent:
    """What a contest's calls come to."""
    found = [call for call in calls if call.state != "failed"]
    return Spent(len(found), sum(c.prompt_tokens + c.completion_tokens for c in found), sum(c.money for c in found))


def price_of(model: str, settings: Judging) -> Price | None:
    """The user's price of a model. Raises JudgeError where money is capped and there is none."""
    found = settings.prices.get(model)
    if found is None and settings.most_money:
        raise JudgeError(
            f"judge.most_money caps money, but judge.prices has no price for {model!r}; add it, e.g. "
            f"{{{model}: {{input: 2.5, output: 10}}}} for a million tokens"
        )
    return found


def money(price: Price | None, prompt_tokens: int, completion_tokens: int) -> float:
    """What so many tokens cost; 0 without a price."""
    return (price.input * prompt_tokens + price.output * completion_tokens) / 1e6 if price else 0.0


def reservation(key: str, contest: str, model: str, size: int, most: int, price: Price | None) -> Call:
    """A call with `size` bytes of prompt and at most `most` tokens of answer; a token is at least a byte."""
    return Call(key, contest, model, "reserved", size + _UNSEEN, most, money(price, size + _UNSEEN, most))


def settled(call: Call, ballot: Ballot, price: Price | None) -> Call:
    """The call once it was answered; where the server doesn't tell tokens, bytes stand for them."""
    read = ballot.prompt_tokens or call.prompt_tokens
    wrote = ballot.completion_tokens or min(call.completion_tokens, len(ballot.raw.encode()))
    return replace(call, state="answered", prompt_tokens=read, completion_tokens=wrote, money=money(price, read, wrote))


def fits(so_far: Spent, wanted: Call, settings: Judging) -> bool:
    """Whether the call can be made without passing a cap, whatever it takes."""
    return (
        (not settings.most_calls or so_far.calls + 1 <= settings.most_calls)
        and (
            not settings.most_tokens
            or so_far.tokens + wanted.prompt_tokens + wanted.completion_tokens <= settings.most_tokens
        )
        and (not settings.most_money or so_far.money + wanted.money <= settings.most_money * (1 + 1e-9))
    )
