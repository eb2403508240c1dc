"""The one decision after a failed attempt, case by case."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from proxy import outcome as o
from proxy.outcome import OUTCOMES
from proxy.resilience.budget import Budget
from proxy.resilience.retry import (
    REFUSALS,
    RULED_OUT,
    Again,
    Failure,
    Standing,
    Stop,
    decide,
    is_idempotent,
    is_retryable,
)
from proxy.resilience.rules import BudgetRule, RetryRule

NOW = 1000.0
LOST_GET: dict[str, Any] = {
    "rule": RetryRule(),
    "failure": Failure(o.UPSTREAM_RESET),
    "standing": Standing(made=1, left=60.0, idempotent=True, replayable=True),
}
EMPTY = BudgetRule(capacity=0, per_minute=0, per_request=0)


def standing(**unusual: Any) -> Standing:
    usual = {"made": 1, "left": 60.0, "idempotent": True, "replayable": True}
    return Standing(**(usual | unusual))


def answer(status: int, retry_after: float | None = None) -> Failure:
    return Failure(o.UPSTREAM_ERROR, status=status, retry_after=retry_after)


def ask(*, budget: BudgetRule | None = None, **unusual: Any) -> Again | Stop:
    """The decision on a GET whose connection was reset, but for what is unusual."""
    return decide(
        **(LOST_GET | unusual),
        budget=Budget(budget or BudgetRule()),
        now=NOW,
        rng=lambda: 0.5,
    )


UNSENT = Failure(o.CONNECT_REFUSED, sent=False)
ELSEWHERE = {"failure": answer(503, 3600.0), "standing": standing(elsewhere=True, left=0.001)}


@pytest.mark.parametrize(
    ("unusual", "step"),
    [
        pytest.param({}, Again(0.1), id="a lost GET is tried again"),
        pytest.param(ELSEWHERE, Again(0.0), id="elsewhere at once, whatever is asked for"),
        pytest.param(
            ELSEWHERE | {"budget": EMPTY}, Stop("budget_spent"), id="elsewhere is paid for as well"
        ),
        pytest.param(
            {"standing": standing(idempotent=False)},
            Stop("not_idempotent"),
            id="a lost POST may have arrived",
        ),
        pytest.param(
            {"standing": standing(replayable=False)},
            Stop("body_not_replayable"),
            id="a body that was not kept cannot be sent again",
        ),
        pytest.param(
            {"failure": UNSENT, "standing": standing(idempotent=False, replayable=False)},
            Again(0.1),
            id="a POST that was never sent is safe, kept or not",
        ),
        pytest.param(
            {"failure": Failure(o.STALE_CONNECTION), "standing": standing(idempotent=False)},
            Stop("not_idempotent"),
            id="a POST on a stale connection may have arrived",
        ),
        pytest.param({"failure": answer(503)}, Again(0.1), id="a 503 is tried again"),
        pytest.param({"failure": answer(500)}, Stop("not_retryable"), id="a 500 is an answer"),
        pytest.param({"failure": answer(404)}, Stop("not_retryable"), id="a 404 is an answer"),
        pytest.param(
            {"failure": answer(429), "rule": RetryRule(statuses=(429,))},
            Again(0.1),
            id="a 429 is tried again where the rule names it",
        ),
        pytest.param(
            {"failure": Failure(o.HEAD_TIMEOUT)},
            Stop("not_retryable"),
            id="a slow head is not tried again",
        ),
        pytest.param(
            {"failure": Failure(o.HEAD_TIMEOUT), "rule": RetryRule(on=("head_timeout",))},
            Again(0.1),
            id="a slow head is tried again where the rule names it",
        ),
        pytest.param(
            {"rule": RetryRule(on=("connect",))},
            Stop("not_retryable"),
            id="a reset is not tried again where the rule leaves it out",
        ),
        pytest.param(
            {"failure": Failure(o.TLS_FAILURE, sent=False)},
            Stop("not_retryable"),
            id="a wrong certificate stays wrong",
        ),
        pytest.param(
            {"standing": standing(made=2)}, Again(0.2), id="the second pause is twice the first"
        ),
        pytest.param(
            {"standing": standing(made=9), "rule": RetryRule(attempts=10, jitter=0)},
            Again(2.0),
            id="pauses stop growing at the cap",
        ),
        pytest.param(
            {"standing": standing(made=3)}, Stop("attempts_spent"), id="three attempts are enough"
        ),
        pytest.param(
            {"rule": RetryRule(attempts=1)},
            Stop("attempts_spent"),
            id="one attempt means no retry",
        ),
        pytest.param(
            {"standing": standing(draining=True)}, Stop("draining"), id="nothing begins in a drain"
        ),
        pytest.param(
            {"standing": standing(left=0.1)},
            Stop("deadline_near"),
            id="a pause that ends at the deadline is too long",
        ),
        pytest.param(
            {"standing": standing(left=0.11)}, Again(0.1), id="a pause before the deadline fits"
        ),
        pytest.param(
            {"failure": answer(503, retry_after=5.0)},
            Again(5.0),
            id="Retry-After is waited for up to the cap",
        ),
        pytest.param(
            {"failure": answer(503, retry_after=5.1)},
            Stop("retry_after_too_long"),
            id="nobody comes back sooner than a longer Retry-After asks",
        ),
        pytest.param(
            {"failure": answer(503, retry_after=4.0), "standing": standing(left=3.0)},
            Stop("deadline_near"),
            id="Retry-After beyond the deadline is not waited for",
        ),
        pytest.param(
            {"failure": answer(503, retry_after=0.0)},
            Again(0.1),
            id="Retry-After 0 does not shorten the pause",
        ),
        pytest.param({"budget": EMPTY}, Stop("budget_spent"), id="a storm of retries ends here"),
    ],
)
def test_the_decision(unusual: dict[str, Any], step: Again | Stop) -> None:
    match ask(**unusual), step:
        case Again(pause), Again(expected):
            assert pause == pytest.approx(expected)
        case decided, _:
            assert decided == step


WORST = {
    "rule": RetryRule(attempts=1, on=()),
    "failure": answer(503, retry_after=99.0),
    "standing": standing(idempotent=False, replayable=False, draining=True, left=0.0),
    "budget": EMPTY,
}


MENDED = [
    ({}, "not_retryable"),
    ({"rule": RetryRule(attempts=1)}, "not_idempotent"),
    ({"standing": standing(replayable=False, draining=True, left=0.0)}, "body_not_replayable"),
    ({"standing": standing(draining=True, left=0.0)}, "attempts_spent"),
    ({"rule": RetryRule()}, "draining"),
    ({"standing": standing(left=0.0)}, "retry_after_too_long"),
    ({"failure": answer(503)}, "deadline_near"),
    ({"standing": standing(), "failure": answer(503)}, "budget_spent"),
]


def test_reasons_come_in_a_fixed_order() -> None:
    """Everything is wrong at first; each row mends one thing more, and the next reason shows."""
    case, told = WORST, []
    for mended, _ in MENDED:
        case = case | mended
        told.append(ask(**case))

    assert told == [Stop(why) for _, why in MENDED]


@pytest.mark.parametrize(("code", "why"), sorted(RULED_OUT.items()))
def test_an_outcome_that_rules_it_out_comes_before_all_else(code: str, why: str) -> None:
    assert ask(**(WORST | {"failure": Failure(OUTCOMES[code])})) == Stop(why)


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=lambda row: row.code)
def test_every_outcome_has_a_decision(outcome: o.Outcome) -> None:
    """One with a cause may be tried again; one without names its reason or is not retryable."""
    every_cause = RetryRule(
        on=("connect", "stale", "reset", "write", "status", "head_timeout", "first_event_timeout")
    )
    step = ask(rule=every_cause, failure=Failure(outcome, status=503))

    if outcome.cause:
        assert isinstance(step, Again)
        assert step.pause == pytest.approx(0.1)
        assert outcome.code not in RULED_OUT
    else:
        assert step == Stop(RULED_OUT.get(outcome.code, "not_retryable"))


def test_every_reason_is_given_by_some_case() -> None:
    reasons = {why for why, _ in REFUSALS} | set(RULED_OUT.values())
    reasons |= {"budget_spent", "retry_after_too_long"}

    assert reasons == set(get_args(o.NotRetried))


@pytest.mark.parametrize(
    ("unusual", "left"),
    [
        pytest.param({}, 19.0, id="a retry costs one token"),
        pytest.param({"standing": standing(made=3)}, 20.0, id="no retry costs none"),
        pytest.param({"standing": standing(left=0)}, 20.0, id="no time left costs none"),
    ],
)
def test_the_budget_pays_only_for_a_retry(unusual: dict[str, Any], left: float) -> None:
    budget = Budget(BudgetRule())
    decide(**(LOST_GET | unusual), budget=budget, now=NOW)

    assert budget.tokens(NOW) == left


@pytest.mark.parametrize(
    ("method", "unusual", "idempotent"),
    [
        pytest.param("GET", {}, True, id="a GET"),
        pytest.param("DELETE", {}, True, id="a DELETE"),
        pytest.param("POST", {}, False, id="a POST"),
        pytest.param("PATCH", {}, False, id="a PATCH"),
        pytest.param("PROPFIND", {}, True, id="a PROPFIND"),
        pytest.param("REPORT", {}, True, id="a REPORT"),
        pytest.param("SEARCH", {}, True, id="a SEARCH"),
        pytest.param("QUERY", {}, True, id="a QUERY"),
        pytest.param("MKCOL", {}, True, id="a MKCOL"),
        pytest.param("LOCK", {}, False, id="a LOCK"),
        pytest.param("CONNECT", {}, False, id="a CONNECT"),
        pytest.param("propfind", {}, False, id="a method in lower case is another one"),
        pytest.param("get", {}, False, id="a method nobody knows"),
        pytest.param("POST", {"has_key": True}, False, id="a key the route does not know of"),
        pytest.param("POST", {"has_key": True, "opted_in": True}, True, id="a POST with a key"),
        pytest.param("POST", {"opted_in": True}, False, id="a POST without the key"),
    ],
)
def test_what_may_be_sent_twice(method: str, unusual: dict[str, bool], idempotent: bool) -> None:
    rule = RetryRule(idempotency_key=unusual.get("opted_in", False))

    assert is_idempotent(rule, method, has_key=unusual.get("has_key", False)) is idempotent


def test_a_whole_answer_is_not_retryable() -> None:
    assert not is_retryable(RetryRule(), o.COMPLETED, 200)


@pytest.mark.parametrize(
    "knobs",
    [
        {"attempts": 0},
        {"attempts": 11},
        {"statuses": (200,)},
        {"on": ("bad_luck",)},
        {"jitter": 1.5},
        {"first_pause": "3s"},
        {"budget": {"capacity": -1}},
    ],
    ids=str,
)
def test_a_rule_that_makes_no_sense_is_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RetryRule(**knobs)
