"""Retries cost a share of the traffic, and never more."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.resilience.budget import Budget
from proxy.resilience.rules import BudgetRule


def spend_all(budget: Budget, now: float) -> int:
    """How many retries it pays for at once."""
    return sum(budget.spend(now) for _ in range(100))


def test_it_starts_full() -> None:
    assert spend_all(Budget(BudgetRule(capacity=20)), now=1000.0) == 20


def test_time_fills_it() -> None:
    budget = Budget(BudgetRule(per_minute=10, per_request=0))
    spend_all(budget, now=1000.0)

    assert (budget.spend(1005.9), budget.spend(1006.1), budget.spend(1006.2)) == (
        False,
        True,
        False,
    )


def test_what_is_left_grows_with_time() -> None:
    budget = Budget(BudgetRule(capacity=10, per_minute=60))
    spend_all(budget, now=1000.0)

    assert budget.tokens(1003.0) == pytest.approx(3.0)


def test_requests_fill_it() -> None:
    budget = Budget(BudgetRule(per_minute=0, per_request=0.2))
    spend_all(budget, now=0.0)
    for _ in range(11):
        budget.earn(0.0)

    assert spend_all(budget, now=0.0) == 2


def test_it_never_holds_more_than_its_capacity() -> None:
    budget = Budget(BudgetRule(capacity=20))
    for second in range(3600):
        budget.earn(float(second))

    assert budget.tokens(7200.0) == 20


def test_a_refusal_takes_nothing() -> None:
    budget = Budget(BudgetRule(capacity=0.5, per_minute=0))
    budget.spend(0.0)

    assert budget.tokens(0.0) == 0.5


def test_what_was_paid_for_nothing_is_given_back() -> None:
    budget = Budget(BudgetRule(capacity=1, per_minute=0, per_request=0))
    budget.spend(0.0)
    budget.refund()
    budget.refund()

    assert 1.0 == budget.tokens(0.0)


def test_a_clock_that_steps_back_takes_nothing() -> None:
    budget = Budget(BudgetRule(capacity=5, per_minute=60))
    spend_all(budget, now=100.0)
    budget.earn(101.0)
    left = budget.tokens(101.0)

    assert budget.tokens(50.0) == pytest.approx(left)


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=80))
def test_retries_never_exceed_capacity_time_and_share(steps: list[tuple[float, bool]]) -> None:
    """The bound holds for every order of requests and retries."""
    rule = BudgetRule(capacity=5, per_minute=6, per_request=0.2)
    budget = Budget(rule)
    now, requests, retries = 0.0, 0, 0
    for elapsed, retry in steps:
        now += elapsed
        if retry:
            retries += budget.spend(now)
        else:
            budget.earn(now)
            requests += 1

        assert retries <= 5 + now * 6 / 60 + requests * 0.2 + 1e-6
        assert 0 <= budget.tokens(now) <= 5
