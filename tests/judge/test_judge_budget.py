from dataclasses import replace

import pytest

from poetune.errors import JudgeError
from poetune.judge.budget import Spent, fits, price_of, reservation, settled, spent
from poetune.ports import Ballot
from poetune.recipe import Judging, Price

PRICE = Price(input=2.0, output=10.0)
CALL = reservation("a:1", "c", "m", 936, 500, PRICE)


def test_a_call_is_reserved_at_the_most_it_can_take_and_settled_by_what_it_took() -> None:
    assert (CALL.prompt_tokens, CALL.completion_tokens) == (1000, 500)
    assert CALL.money == pytest.approx(0.002 + 0.005)
    done = settled(CALL, Ballot(("x",), "ok", "RANKING: A", "", 250, 20), PRICE)
    assert (done.state, done.prompt_tokens, done.completion_tokens) == ("answered", 250, 20)
    assert done.money == pytest.approx(0.0005 + 0.0002)
    untold = settled(CALL, Ballot(("x",), "ok", "RANKING: A"), PRICE)
    assert (untold.prompt_tokens, untold.completion_tokens) == (1000, 10)


def test_no_call_fits_that_could_pass_a_cap() -> None:
    assert fits(Spent(9, 8500, 0.093), CALL, Judging(most_calls=10, most_tokens=10_000, most_money=0.1))
    assert not fits(Spent(10, 0, 0), CALL, Judging(most_calls=10))
    assert not fits(Spent(0, 8501, 0), CALL, Judging(most_tokens=10_000))
    assert not fits(Spent(0, 0, 0.0931), CALL, Judging(most_money=0.1))
    assert fits(Spent(10**6, 10**9, 10**6), CALL, Judging())


def test_what_failed_costs_nothing_and_what_is_lost_or_under_way_its_most() -> None:
    rows = [replace(CALL, state=state) for state in ("reserved", "lost", "failed")]
    assert spent(rows) == Spent(2, 3000, pytest.approx(0.014))


def test_a_money_cap_needs_a_price() -> None:
    assert price_of("m", Judging(prices={"m": PRICE}, most_money=1)) == PRICE
    assert price_of("m", Judging()) is None
    with pytest.raises(JudgeError, match=r"has no price for 'm'"):
        price_of("m", Judging(most_money=1, prices={"n": PRICE}))
